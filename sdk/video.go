package sdk

import (
	"image"
	"image/color"

	"github.com/seedge/seedge/internal/preprocess"
)

// YUYV is a frame as many cameras give it (V4L2_PIX_FMT_YUYV, YUY2), 4:2:2 and
// packed. Every two pixels are four bytes: the first one's luma, Cb, the second
// one's luma, Cr. Where the width is odd, a row ends with four bytes all the same.
//
// It is classified without being converted first: only the rows and columns that
// the network sees become RGB. A frame whose Pix or Stride does not hold Rect is an
// [ErrBadImage] then.
type YUYV struct {
	Pix    []byte // from pixel (0, 0) of the frame on
	Stride int    // bytes from a row to the next, at least 4*((width+1)/2)
	// Rect is the part of the frame that the image is; image.Rect(0, 0, width,
	// height) for all of it.
	Rect image.Rectangle
	// FullRange says that levels are 0 to 255, as in JPEG. Without it luma is 16 to
	// 235 and chroma 16 to 240, as V4L2 drivers give by default. The matrix is that
	// of ITU-R BT.601 in both cases.
	FullRange bool
}

// YUYV lends the pixels.
func (p *YUYV) YUYV() (pix []byte, stride int, full bool) { return p.Pix, p.Stride, p.FullRange }

func (p *YUYV) ColorModel() color.Model { return color.RGBAModel }
func (p *YUYV) Bounds() image.Rectangle { return p.Rect }
func (p *YUYV) Opaque() bool            { return true }

func (p *YUYV) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	pair := p.Pix[y*p.Stride+x/2*4:][:4]
	return preprocess.RGB(pair[x%2*2], pair[1], pair[3], p.FullRange)
}

// SubImage is the part r of the image, which shares its pixels.
func (p *YUYV) SubImage(r image.Rectangle) image.Image {
	part := *p
	part.Rect = r.Intersect(p.Rect)
	return &part
}

// NV12 is a frame as hardware decoders and camera processors give it
// (V4L2_PIX_FMT_NV12), 4:2:0 and semi-planar: a plane of luma, one byte for a
// pixel, and a plane of chroma, Cb and Cr for every two by two pixels.
//
// It is classified like [YUYV]. A frame whose planes do not hold Rect is an
// [ErrBadImage].
type NV12 struct {
	Y       []byte // from pixel (0, 0) of the frame on
	YStride int    // bytes from a row of Y to the next, at least the width
	CbCr    []byte // from pixel (0, 0) of the frame on
	CStride int    // bytes from a row of CbCr to the next, at least 2*((width+1)/2)
	// Rect is the part of the frame that the image is; image.Rect(0, 0, width,
	// height) for all of it.
	Rect image.Rectangle
	// FullRange is as for [YUYV].
	FullRange bool
}

// NV12 lends the pixels.
func (p *NV12) NV12() (luma []byte, lumaStride int, chroma []byte, chromaStride int, full bool) {
	return p.Y, p.YStride, p.CbCr, p.CStride, p.FullRange
}

func (p *NV12) ColorModel() color.Model { return color.RGBAModel }
func (p *NV12) Bounds() image.Rectangle { return p.Rect }
func (p *NV12) Opaque() bool            { return true }

func (p *NV12) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	pair := p.CbCr[y/2*p.CStride+x/2*2:][:2]
	return preprocess.RGB(p.Y[y*p.YStride+x], pair[0], pair[1], p.FullRange)
}

// SubImage is the part r of the image, which shares its pixels.
func (p *NV12) SubImage(r image.Rectangle) image.Image {
	part := *p
	part.Rect = r.Intersect(p.Rect)
	return &part
}
