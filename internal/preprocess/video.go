package preprocess

import (
	"fmt"
	"image"
	"image/color"

	"github.com/seedge/seedge/internal/kernel"
)

// YUYV is what an image may implement to hand over its pixels as many cameras
// give them, 4:2:2 and packed: Y Cb Y Cr for every two pixels, rows stride bytes
// apart. pix begins at pixel (0, 0) of the frame, of which the image's Bounds are
// the part that counts. full is as for [RGB].
type YUYV interface {
	YUYV() (pix []byte, stride int, full bool)
}

// NV12 is what an image may implement to hand over its pixels as hardware
// decoders and camera processors give them, 4:2:0 and semi-planar: a plane of
// luma and one of Cb Cr for every two by two pixels. Both begin at pixel (0, 0) of
// the frame, of which the image's Bounds are the part that counts. full is as for
// [RGB].
type NV12 interface {
	NV12() (luma []byte, lumaStride int, chroma []byte, chromaStride int, full bool)
}

// RGB is the colour of a pixel by ITU-R BT.601. full means levels 0 to 255, as in
// JPEG; otherwise luma is 16 to 235 and chroma 16 to 240, as in video.
func RGB(y, cb, cr byte, full bool) color.RGBA {
	m := &kernel.LimitedRange
	if full {
		m = &kernel.FullRange
	}
	r, g, b := m.RGB(y, cb, cr)
	return color.RGBA{R: r, G: g, B: b, A: 255}
}

// setYUYV and setNV12 point s at the part b of a frame.
func (s *source) setYUYV(m YUYV, b image.Rectangle) error {
	if err := within(b); err != nil {
		return err
	}
	var full bool
	s.pix, s.stride, full = m.YUYV()
	if err := holds("YUYV pixels", len(s.pix), s.stride, (b.Max.X+1)/2*4, b.Max.Y); err != nil {
		return err
	}
	s.layout = yuyv
	s.convert(kernel.YUYV, full)
	return nil
}

func (s *source) setNV12(m NV12, b image.Rectangle) error {
	if err := within(b); err != nil {
		return err
	}
	var full bool
	s.pix, s.stride, s.chroma, s.chromaStride, full = m.NV12()
	if err := holds("luma", len(s.pix), s.stride, b.Max.X, b.Max.Y); err != nil {
		return err
	}
	if err := holds("NV12 chroma", len(s.chroma), s.chromaStride, (b.Max.X+1)/2*2, (b.Max.Y+1)/2); err != nil {
		return err
	}
	s.layout = nv12
	s.convert(kernel.NV12, full)
	return nil
}

// within checks bounds that are counted from a frame's corner.
func within(b image.Rectangle) error {
	switch {
	case b.Min.X < 0 || b.Min.Y < 0:
		return fmt.Errorf("%w: bounds %v begin outside of the frame; want them at (0,0) or further", ErrBadImage, b)
	case b.Max.X > maxLong || b.Max.Y > maxLong:
		return fmt.Errorf("%w: image bounds %v; want them to end at %d at most", ErrImageSize, b, maxLong)
	}
	return nil
}

func (s *source) readYUYV(dst []byte, y, x int) {
	x += s.x0
	row := s.pix[(s.y0+y)*s.stride+x/2*4:]
	if x&1 != 0 && len(dst) > 0 { // the right half of a pair first
		dst[0], dst[1], dst[2] = s.matrix.RGB(row[2], row[1], row[3])
		dst, row = dst[3:], row[4:]
	}
	s.colour.Run(dst, row, nil, nil)
}

func (s *source) readNV12(dst []byte, y, x int) {
	x, y = x+s.x0, y+s.y0
	luma, pairs := s.pix[y*s.stride+x:], s.chroma[y/2*s.chromaStride+x/2*2:]
	if x&1 != 0 && len(dst) > 0 {
		dst[0], dst[1], dst[2] = s.matrix.RGB(luma[0], pairs[0], pairs[1])
		dst, luma, pairs = dst[3:], luma[1:], pairs[2:]
	}
	s.colour.Run(dst, luma, pairs, nil)
}
