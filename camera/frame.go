package camera

import (
	"image"
	"image/color"
	"time"
)

// A Frame is one picture: an opaque image.Image over packed 8-bit BGR pixels,
// row by row from the top left.
//
// A Frame that a loop over Camera.Frames yields belongs to the camera: it
// changes at the next turn of the loop. Clone it to keep it.
type Frame struct {
	// Sequence counts the frames that were read from the source, from 0. It
	// skips the numbers of dropped frames.
	Sequence uint64
	// Time is when the frame was captured: the driver's own time of V4L2 devices
	// that tell it, else when the frame had been read.
	Time time.Time
	// Dropped is how many frames were left out, for the sake of this newer
	// one, since the frame yielded before.
	Dropped uint64
	// Connection counts how often the source had been opened when the frame was
	// read, from 1. Where it changes, the stream was interrupted.
	Connection uint64

	width, height int
	pix           []byte // height rows of width*3 bytes
}

// NewFrame copies packed BGR pixels into a frame of its own: height rows of
// width*3 bytes, stride bytes apart. It returns nil if pix is too short for
// that or a size is not positive.
func NewFrame(pix []byte, stride, width, height int) *Frame {
	if width < 1 || height < 1 || stride < width*3 || len(pix) < stride*(height-1)+width*3 {
		return nil
	}
	f := new(Frame)
	f.resize(width, height)
	for y := range height {
		copy(f.pix[y*width*3:(y+1)*width*3], pix[y*stride:])
	}
	return f
}

// BGR lends the pixels: rows of 3*width bytes (blue, green, red), stride bytes
// apart. They are the camera's as long as the frame is.
func (f *Frame) BGR() (pix []byte, stride int) { return f.pix, f.width * 3 }

// Stamp returns Time, Sequence and Dropped, for those who know a frame only as
// an image.
func (f *Frame) Stamp() (captured time.Time, sequence, dropped uint64) {
	return f.Time, f.Sequence, f.Dropped
}

// ColorModel is color.RGBAModel.
func (f *Frame) ColorModel() color.Model { return color.RGBAModel }

// Bounds is (0, 0)-(width, height).
func (f *Frame) Bounds() image.Rectangle { return image.Rect(0, 0, f.width, f.height) }

// RGBAAt returns the colour of a pixel, and the zero colour outside Bounds.
func (f *Frame) RGBAAt(x, y int) color.RGBA {
	if x < 0 || y < 0 || x >= f.width || y >= f.height {
		return color.RGBA{}
	}
	p := f.pix[(y*f.width+x)*3:]
	return color.RGBA{R: p[2], G: p[1], B: p[0], A: 255}
}

// At implements image.Image.
func (f *Frame) At(x, y int) color.Color { return f.RGBAAt(x, y) }

// RGBA64At implements image.RGBA64Image, which lets image/draw read pixels
// without allocating.
func (f *Frame) RGBA64At(x, y int) color.RGBA64 {
	r, g, b, a := f.RGBAAt(x, y).RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}

// Opaque reports true: video has no transparency.
func (f *Frame) Opaque() bool { return true }

// Clone returns a copy that stays as it is.
func (f *Frame) Clone() *Frame {
	c := *f
	c.pix = append([]byte(nil), f.pix...)
	return &c
}

// resize makes room for width x height pixels, reusing the buffer if it can.
func (f *Frame) resize(width, height int) {
	n := width * height * 3
	if cap(f.pix) < n {
		f.pix = make([]byte, n)
	}
	f.width, f.height, f.pix = width, height, f.pix[:n]
}
