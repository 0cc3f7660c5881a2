package camera

import (
	"fmt"
	"math"
)

// A PixelFormat is how a V4L2 device sends its pixels, by its FourCC. Frames
// are packed BGR whatever it is; it decides about the size and rate that fit
// through the cable.
type PixelFormat string

const (
	// MJPG: each frame a JPEG. Large frames at full rate over USB 2, for some
	// decoding time.
	MJPG PixelFormat = "MJPG"
	// YUYV: 16 bits per pixel, uncompressed. Nothing to decode, at most about
	// 640x480 at 30 frames per second over USB 2.
	YUYV PixelFormat = "YUYV"
)

// A request is what a device is asked for. Zero fields leave it the choice.
type request struct {
	width, height int
	rate          float64 // frames per second
	pixels        PixelFormat
}

func (r request) check(src source, sized, rated bool) error {
	if sized {
		const most = 1 << 15
		if r.width < 1 || r.height < 1 || r.width > most || r.height > most {
			return fmt.Errorf("camera: %w: WithSize(%d, %d): want 1 to %d each", ErrOption, r.width, r.height, most)
		}
	}
	if rated && (math.IsNaN(r.rate) || r.rate < 0.1 || r.rate > 1000) {
		return fmt.Errorf("camera: %w: WithRate(%v): want 0.1 to 1000 frames per second", ErrOption, r.rate)
	}
	if r.pixels != "" && r.pixels != MJPG && r.pixels != YUYV {
		return fmt.Errorf("camera: %w: WithPixelFormat(%q): want %s or %s", ErrOption, r.pixels, MJPG, YUYV)
	}
	switch {
	case src.kind == kindDevice || src.kind == kindCSI && r.pixels == "":
		return nil
	case r.pixels != "":
		return fmt.Errorf("camera: %s: %w: WithPixelFormat is for V4L2 devices", src.name, ErrOption)
	case sized:
		return fmt.Errorf("camera: %s: %w: WithSize is for V4L2 and CSI devices; files and streams come in their own size", src.name, ErrOption)
	case rated:
		return fmt.Errorf("camera: %s: %w: WithRate is for V4L2 and CSI devices; files and streams come at their own rate", src.name, ErrOption)
	}
	return nil
}

// verify compares what was asked for with what a device says it does.
func (r request) verify(src source, i Info, pixels string) error {
	switch {
	case r.pixels != "" && pixels != string(r.pixels):
		return fmt.Errorf("camera: %s: %w: asked for %s, the device answers with %q; `seedge cameras` lists its modes", src.name, ErrPixelFormat, r.pixels, pixels)
	case r.width != 0 && (i.Width != r.width || i.Height != r.height):
		return fmt.Errorf("camera: %s: %w: asked for %dx%d, the device answers with %dx%d; `seedge cameras` lists its modes", src.name, ErrSize, r.width, r.height, i.Width, i.Height)
	// Television's 30 frames per second are 29.97.
	case r.rate != 0 && math.Abs(i.FPS-r.rate) > r.rate/100:
		return fmt.Errorf("camera: %s: %w: asked for %g frames per second, the device answers with %g; `seedge cameras` lists its modes", src.name, ErrRate, r.rate, i.FPS)
	}
	return nil
}

// fourCC is a pixel format as V4L2's number.
func fourCC(p PixelFormat) uint32 {
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// fourCCName is the reverse: four characters, those that cannot be shown as
// question marks.
func fourCCName(v uint32) string {
	b := []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24 & 0x7f)} // bit 31 says big-endian
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
