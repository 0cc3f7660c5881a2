package camera

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fakeNode answers as a driver would.
type fakeNode struct {
	name     string
	device   uint32 // capabilities
	formats  []uint32
	sizes    [][6]uint32
	stepwise bool
	endless  bool
	closed   *int
}

func (f *fakeNode) close() { *f.closed++ }

func (f *fakeNode) ioctl(request uint, arg structure) error {
	switch a := arg.(type) {
	case *capability:
		copy(a.Driver[:], "fake")
		copy(a.Card[:], f.name)
		copy(a.BusInfo[:], "usb-1")
		a.Capabilities, a.DeviceCaps = capDeviceCaps|capVideoCapture, f.device
		return nil
	case *formatDescription:
		if int(a.Index) < len(f.formats) || f.endless {
			a.PixelFormat = f.formats[int(a.Index)%len(f.formats)]
			return nil
		}
	case *frameSize:
		if int(a.Index) < len(f.sizes) || f.endless {
			a.Sizes, a.Type = f.sizes[int(a.Index)%len(f.sizes)], discrete
			if f.stepwise {
				a.Type = 3
			}
			return nil
		}
	case *frameInterval:
		if a.Index < 2 || f.endless {
			a.Type, a.Intervals = discrete, [6]uint32{1 + a.Index, 30}
			if f.stepwise {
				a.Type, a.Intervals = 3, [6]uint32{1, 60, 1, 5, 1, 60}
			}
			return nil
		}
	}
	return unix.EINVAL
}

// machine makes the folders that the kernel and udev would.
func machine(t *testing.T, names map[string]string) (sys, dev string) {
	sys, dev = t.TempDir(), t.TempDir()
	for node, name := range names {
		require.NoError(t, os.Mkdir(filepath.Join(sys, node), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(sys, node, "name"), []byte(name+"\n"), 0o600))
	}
	byID := filepath.Join(dev, "v4l", "by-id")
	require.NoError(t, os.MkdirAll(byID, 0o700))
	require.NoError(t, os.Symlink("../../video2", filepath.Join(byID, "usb-Maker_Camera-video-index0")))
	return sys, dev
}

func TestList(t *testing.T) {
	sys, dev := machine(t, map[string]string{
		"video10": "Ranges", "video2": "Webcam", "video3": "Webcam metadata", "video4": "Locked", "v4l-subdev0": "sensor", "videotape": "no",
		"video5": "Endless\x1b[2J",
	})
	opened, closed := 0, 0
	nodes := map[string]*fakeNode{
		"video2": {name: "HD Webcam", device: capVideoCapture, formats: []uint32{fourCC(MJPG), fourCC(YUYV)},
			sizes: [][6]uint32{{1280, 720}, {640, 480}}},
		"video3":  {name: "HD Webcam", device: 0x00800000},
		"video5":  {name: "", device: capVideoCapture, formats: []uint32{0}, sizes: [][6]uint32{{8, 8}}, endless: true},
		"video10": {name: "Ranges", device: capVideoCaptureMplane, formats: []uint32{fourCC("NV12")}, sizes: [][6]uint32{{16, 4096, 2, 32, 2160, 2}}, stepwise: true},
	}
	devices, err := list(sys, dev, func(path string) (node, error) {
		n, ok := nodes[filepath.Base(path)]
		if !ok {
			return nil, fs.ErrPermission
		}
		opened++
		n.closed = &closed
		return n, nil
	})
	require.NoError(t, err)
	assert.Equal(t, opened, closed)
	require.Len(t, devices, 4)
	webcam, locked, endless, ranges := devices[0], devices[1], devices[2], devices[3]
	both := []float64{30, 15}
	assert.Equal(t, Device{
		Path: filepath.Join(dev, "video2"), Stable: filepath.Join(dev, "v4l/by-id/usb-Maker_Camera-video-index0"),
		Name: "HD Webcam", Driver: "fake", Bus: "usb-1",
		Modes: []Mode{
			{"MJPG", 1280, 720, 1280, 720, both}, {"MJPG", 640, 480, 640, 480, both},
			{"YUYV", 1280, 720, 1280, 720, both}, {"YUYV", 640, 480, 640, 480, both},
		},
	}, webcam)
	assert.Equal(t, "Locked", locked.Name)
	assert.ErrorIs(t, locked.Err, ErrOpen)
	assert.ErrorIs(t, locked.Err, fs.ErrPermission)
	assert.Equal(t, "Endless?[2J", endless.Name)
	assert.Len(t, endless.Modes, maxFormats*maxSizes)
	assert.Len(t, endless.Modes[0].Rates, maxRates)
	assert.Equal(t, []Mode{{"NV12", 4096, 2160, 16, 32, []float64{60, 5}}}, ranges.Modes)
}

func TestListOfThisMachine(t *testing.T) {
	devices, err := List()
	require.NoError(t, err)
	for _, d := range devices {
		assert.True(t, strings.HasPrefix(d.Path, "/dev/video"), d.Path)
	}
	none, err := list(filepath.Join(t.TempDir(), "none"), "/dev", nil)
	assert.NoError(t, err)
	assert.Empty(t, none)
}

// What is no V4L2 device says so by the real ioctl.
func TestAskAFileThatIsNoCamera(t *testing.T) {
	n, err := openNode("/dev/null")
	require.NoError(t, err)
	defer n.close()
	_, err = new(Device).ask(n)
	assert.True(t, errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL), "%v", err)
}

// The structures and request numbers are those of the C compiler's header.
func TestV4L2Header(t *testing.T) {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if _, err := exec.LookPath(cc); err != nil {
		t.Skip("needs a C compiler")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "v4l2.c")
	require.NoError(t, os.WriteFile(source, []byte(`
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdio.h>
int main(void) {
  printf("%u %u %u %u\n", (unsigned)VIDIOC_QUERYCAP, (unsigned)VIDIOC_ENUM_FMT, (unsigned)VIDIOC_ENUM_FRAMESIZES, (unsigned)VIDIOC_ENUM_FRAMEINTERVALS);
  printf("%zu %zu %zu %zu\n", offsetof(struct v4l2_capability, device_caps), offsetof(struct v4l2_fmtdesc, pixelformat),
    offsetof(struct v4l2_frmsizeenum, discrete), offsetof(struct v4l2_frmivalenum, discrete));
  printf("%u %u %u %u %u %u\n", V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_CAPTURE_MPLANE, V4L2_CAP_DEVICE_CAPS,
    V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, V4L2_FRMSIZE_TYPE_DISCRETE);
}
`), 0o600))
	program := filepath.Join(dir, "v4l2")
	out, err := exec.Command(cc, "-o", program, source).CombinedOutput()
	require.NoError(t, err, string(out))
	got, err := exec.Command(program).Output()
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%d %d %d %d\n%d %d %d %d\n%d %d %d %d %d %d\n",
		queryCap, enumFormats, enumSizes, enumIntervals,
		unsafe.Offsetof(capability{}.DeviceCaps), unsafe.Offsetof(formatDescription{}.PixelFormat),
		unsafe.Offsetof(frameSize{}.Sizes), unsafe.Offsetof(frameInterval{}.Intervals),
		capVideoCapture, capVideoCaptureMplane, uint32(capDeviceCaps), bufVideoCapture, bufVideoCaptureMplane, discrete), string(got))
}
