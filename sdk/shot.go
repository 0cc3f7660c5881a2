package sdk

import (
	"fmt"
	"image"
	"image/color"

	"github.com/seedge/seedge/internal/preprocess"
)

// A shot is a copy of a lent frame: packed BGR pixels, opaque.
type shot struct {
	pix           []byte
	stride        int
	width, height int
}

// copyFrom copies a frame's pixels, into the memory of the last one.
func (p *shot) copyFrom(b image.Rectangle, lent preprocess.BGR) error {
	pix, stride := lent.BGR()
	w, h := b.Dx(), b.Dy()
	if w < 1 || h < 1 || stride < 3*w || len(pix) < stride*(h-1)+3*w {
		return fmt.Errorf("%w: a frame of %dx%d has %d bytes in rows of %d", ErrBadImage, w, h, len(pix), stride)
	}
	if n := 3 * w * h; cap(p.pix) < n {
		p.pix = make([]byte, n)
	} else {
		p.pix = p.pix[:n]
	}
	p.width, p.height, p.stride = w, h, 3*w
	for y := range h {
		copy(p.pix[y*p.stride:(y+1)*p.stride], pix[y*stride:])
	}
	return nil
}

// view makes p the part r of another shot, without copying.
func (p *shot) view(of *shot, r image.Rectangle) {
	*p = shot{
		pix: of.pix[r.Min.Y*of.stride+3*r.Min.X:], stride: of.stride, width: r.Dx(), height: r.Dy(),
	}
}

// BGR lends the pixels: rows of blue, green, red.
func (p *shot) BGR() (pix []byte, stride int) { return p.pix, p.stride }

func (p *shot) ColorModel() color.Model { return color.RGBAModel }
func (p *shot) Bounds() image.Rectangle { return image.Rect(0, 0, p.width, p.height) }
func (p *shot) Opaque() bool            { return true }

func (p *shot) RGBAAt(x, y int) color.RGBA {
	if x < 0 || y < 0 || x >= p.width || y >= p.height {
		return color.RGBA{}
	}
	at := p.pix[y*p.stride+3*x:]
	return color.RGBA{R: at[2], G: at[1], B: at[0], A: 255}
}

func (p *shot) At(x, y int) color.Color { return p.RGBAAt(x, y) }

// RGBA64At implements image.RGBA64Image.
func (p *shot) RGBA64At(x, y int) color.RGBA64 {
	r, g, b, a := p.RGBAAt(x, y).RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}

// part is a rectangle of an image that cannot give one itself.
type part struct {
	image.Image
	bounds image.Rectangle
}

func (p part) Bounds() image.Rectangle { return p.bounds }

// cut is the part r of img.
func cut(img image.Image, r image.Rectangle) image.Image {
	if m, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	}); ok {
		return m.SubImage(r)
	}
	return part{img, r}
}
