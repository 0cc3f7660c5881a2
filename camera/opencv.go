//go:build cgo && gocv_videoio

package camera

import (
	"fmt"
	"math"
	"time"

	"gocv.io/x/gocv"
)

// OpenCV's numbers, by the names that OpenCV has for them: CAP_V4L2,
// CAP_GSTREAMER, CAP_FFMPEG, CAP_PROP_OPEN_TIMEOUT_MSEC and
// CAP_PROP_READ_TIMEOUT_MSEC.
const (
	backendV4L2      gocv.VideoCaptureAPI        = 200
	backendGStreamer gocv.VideoCaptureAPI        = 1800
	backendFFmpeg    gocv.VideoCaptureAPI        = 1900
	openTimeoutMS    gocv.VideoCaptureProperties = 53
	readTimeoutMS    gocv.VideoCaptureProperties = 54
)

type opencv struct {
	src         source
	readTimeout time.Duration
	vc          *gocv.VideoCapture
	mat         gocv.Mat
	jpegs       bool     // packet is read, and decoded into mat
	packet      gocv.Mat // one JPEG
}

// openCapture opens a source with the one backend meant for its kind. Given
// the choice, OpenCV would try a string that is no URL as the description of a
// GStreamer pipeline, which can do anything.
func openCapture(src source, o *options) (capture, error) {
	var vc *gocv.VideoCapture
	var err error
	start := time.Now()
	switch src.kind {
	case kindDevice:
		vc, err = gocv.VideoCaptureDeviceWithAPI(src.device, backendV4L2)
	case kindCSI:
		needed := plugins(src.preset)
		if o.csiHead != "" {
			needed = needed[1:]
		}
		if err := checkPlugins(src, needed); err != nil {
			return nil, err
		}
		vc, err = gocv.VideoCaptureFileWithAPI(pipeline(src, o.request, o.delivery == deliverLatest, o.csiHead), backendGStreamer)
	default:
		vc, err = gocv.VideoCaptureFileWithAPIParams(src.target, backendFFmpeg, []gocv.VideoCaptureProperties{
			openTimeoutMS, gocv.VideoCaptureProperties(o.openTimeout.Milliseconds()),
			readTimeoutMS, gocv.VideoCaptureProperties(o.readTimeout.Milliseconds()),
		})
	}
	if err != nil {
		// gocv's error repeats the URL, password and all, and says no more.
		if vc != nil {
			_ = vc.Close()
		}
		if time.Since(start) >= o.openTimeout {
			return nil, fmt.Errorf("camera: %s: %w: not open after %v", src.name, ErrTimeout, o.openTimeout)
		}
		return nil, explain(src)
	}
	c := &opencv{src: src, readTimeout: o.readTimeout, vc: vc, mat: gocv.NewMat()}
	if src.kind == kindDevice {
		c.ask(o.request)
	}
	c.takeJPEGs()
	pixels := fourCCName(uint32(c.vc.Get(gocv.VideoCaptureFOURCC)))
	if err := o.request.verify(src, c.info(), pixels); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// ask sets a device's mode. The format comes first, because the sizes depend on
// it, as the rates do on both.
func (c *opencv) ask(r request) {
	if r.pixels != "" {
		c.vc.Set(gocv.VideoCaptureFOURCC, float64(fourCC(r.pixels)))
	}
	if r.width != 0 {
		c.vc.Set(gocv.VideoCaptureFrameWidth, float64(r.width))
		c.vc.Set(gocv.VideoCaptureFrameHeight, float64(r.height))
	}
	if r.rate != 0 {
		c.vc.Set(gocv.VideoCaptureFPS, r.rate)
	}
}

// grab reads a frame into c.mat.
//
// OpenCV's V4L2 code takes a signal that interrupts its wait for the end of
// the device, and Go's runtime interrupts threads with signals to preempt
// them. A device that is really gone fails at once, again and again; so only
// that is believed.
func (c *opencv) grab() bool {
	const (
		atOnce = 10 * time.Millisecond
		enough = 200 * time.Millisecond
		pause  = 2 * time.Millisecond
	)
	start := time.Now()
	failing := start // since when every read has failed at once
	for {
		tried := time.Now()
		if !c.jpegs && c.vc.Read(&c.mat) {
			return true
		}
		if c.jpegs && c.vc.Read(&c.packet) {
			if c.decode() {
				return true
			}
			if time.Since(start) < c.readTimeout {
				continue // half a picture: the next one may be whole
			}
		}
		now := time.Now()
		if now.Sub(tried) > atOnce {
			failing = now
		}
		if c.src.kind != kindDevice || now.Sub(failing) > enough || now.Sub(start) > c.readTimeout {
			return false
		}
		time.Sleep(pause)
	}
}

func (c *opencv) read(f *Frame) (bool, error) {
	if !c.grab() || c.mat.Empty() {
		return false, nil
	}
	if t := c.mat.Type(); t != gocv.MatTypeCV8UC3 {
		return false, fmt.Errorf("camera: %s: %w: OpenCV type %v, want 8-bit BGR (%v)", c.src.name, ErrFormat, t, gocv.MatTypeCV8UC3)
	}
	// The next read overwrites OpenCV's memory, so the pixels are copied.
	pix, err := c.mat.DataPtrUint8()
	if err != nil {
		return false, fmt.Errorf("camera: %s: %w: %w", c.src.name, ErrFormat, err)
	}
	f.resize(c.mat.Cols(), c.mat.Rows())
	copy(f.pix, pix)
	if c.src.kind == kindDevice {
		f.Time = captured(c.vc.Get(gocv.VideoCapturePosMsec))
	}
	return true, nil
}

func (c *opencv) position() time.Duration {
	ms := hint(c.vc.Get(gocv.VideoCapturePosMsec), 1e12)
	return time.Duration(ms * float64(time.Millisecond))
}

func (c *opencv) info() Info {
	return Info{
		Source: c.src.name,
		Live:   c.src.live(),
		Width:  int(hint(c.vc.Get(gocv.VideoCaptureFrameWidth), 1<<20)),
		Height: int(hint(c.vc.Get(gocv.VideoCaptureFrameHeight), 1<<20)),
		FPS:    hint(c.vc.Get(gocv.VideoCaptureFPS), 1000),
		Frames: int(hint(c.vc.Get(gocv.VideoCaptureFrameCount), 1<<31)),
	}
}

// hint is a property of a source if it is at all likely, else 0.
func hint(v, most float64) float64 {
	if math.IsNaN(v) || v < 0 || v > most {
		return 0
	}
	return v
}

func (c *opencv) close() {
	_ = c.vc.Close()
	_ = c.mat.Close()
	if c.jpegs {
		_ = c.packet.Close()
	}
}
