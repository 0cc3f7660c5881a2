package camera

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Cameras on a ribbon cable (CSI) are reached through GStreamer, whose
// pipelines can read and write anything. So a source string only ever names one
// of the presets below and a camera, in characters that mean nothing to
// GStreamer; nobody can hand in a pipeline.
const (
	presetPi     = "rpi"    // libcamera, on a Raspberry Pi
	presetJetson = "jetson" // Argus, on an NVIDIA Jetson
)

var (
	csiSource = regexp.MustCompile(`^(rpi|jetson):(?s:(.*))$`)
	// csiName is what libcamera calls a camera: its path in the device tree.
	csiName = regexp.MustCompile(`^/base/[A-Za-z0-9/@._,-]{1,200}$`)
)

func parseCSI(s string) (source, error) {
	m := csiSource.FindStringSubmatch(s)
	preset, which := m[1], m[2]
	n, err := strconv.Atoi(which)
	numbered := err == nil && deviceNumber.MatchString(which)
	switch {
	case preset == presetJetson && numbered && n < 16:
	case preset == presetPi && (which == "0" || csiName.MatchString(which)):
	case preset == presetJetson:
		return source{}, fmt.Errorf("camera: %q: %w: want jetson:0 to jetson:15", s, ErrSource)
	default:
		return source{}, fmt.Errorf("camera: %q: %w: want rpi:0 for the first camera, or rpi:/base/... with a name that `rpicam-hello --list-cameras` prints", s, ErrSource)
	}
	return source{kind: kindCSI, target: which, name: s, preset: preset}, nil
}

// pipeline describes a CSI camera to GStreamer. head replaces the element that
// needs the hardware, for tests; it is empty otherwise.
func pipeline(src source, r request, latest bool, head string) string {
	caps := ""
	if r.width != 0 {
		caps += fmt.Sprintf(",width=%d,height=%d", r.width, r.height)
	}
	if r.rate != 0 {
		n, d := fraction(r.rate)
		caps += fmt.Sprintf(",framerate=%d/%d", n, d)
	}
	var stages []string
	switch src.preset {
	case presetPi:
		element := "libcamerasrc"
		if src.target != "0" {
			element += " camera-name=" + src.target
		}
		stages = []string{element, "video/x-raw" + caps, "videoconvert"}
	case presetJetson:
		stages = []string{
			"nvarguscamerasrc sensor-id=" + src.target,
			"video/x-raw(memory:NVMM),format=NV12" + caps,
			"nvvidconv", "video/x-raw,format=BGRx", "videoconvert",
		}
	}
	if head != "" {
		stages = append([]string{head}, stages[1:]...)
	}
	sink := "appsink sync=false max-buffers=2 drop=false"
	if latest {
		sink = "appsink sync=false max-buffers=1 drop=true"
	}
	return strings.Join(append(stages, "video/x-raw,format=BGR", sink), " ! ")
}

// fraction is a rate as GStreamer wants it, to a thousandth.
func fraction(rate float64) (n, d int) {
	n, d = int(rate*1000+0.5), 1000
	for _, p := range []int{2, 2, 2, 5, 5, 5} {
		if n%p == 0 && d%p == 0 {
			n, d = n/p, d/p
		}
	}
	return n, d
}
