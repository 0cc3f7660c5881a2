package thumb

import (
	"image"
	"image/color"
)

// A Picture is a copy of a frame: packed BGR pixels, Width x Height.
type Picture struct {
	Pix           []byte
	Width, Height int
}

type bgr interface {
	BGR() (pix []byte, stride int)
}

// Copy copies img, each side divided by the smallest whole number that makes the
// width at most most pixels, and each pixel the mean of those it stands for. It
// reuses p's memory.
func (p *Picture) Copy(img image.Image, most int) {
	b := img.Bounds()
	k := max(1, (b.Dx()+most-1)/most)
	p.Width, p.Height = b.Dx()/k, b.Dy()/k
	if n := 3 * p.Width * p.Height; cap(p.Pix) < n {
		p.Pix = make([]byte, n)
	} else {
		p.Pix = p.Pix[:n]
	}
	if m, ok := img.(bgr); ok {
		pix, stride := m.BGR()
		p.copyBGR(pix, stride, k)
		return
	}
	for y := range p.Height {
		for x := range p.Width {
			var sum [3]uint32
			for dy := range k {
				for dx := range k {
					r, g, bl, _ := img.At(b.Min.X+x*k+dx, b.Min.Y+y*k+dy).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+bl>>8, sum[1]+g>>8, sum[2]+r>>8
				}
			}
			n := uint32(k * k)
			at := p.Pix[3*(y*p.Width+x):]
			at[0], at[1], at[2] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n)
		}
	}
}

func (p *Picture) copyBGR(pix []byte, stride, k int) {
	row := 3 * p.Width
	for y := range p.Height {
		to := p.Pix[y*row : (y+1)*row]
		if k == 1 {
			copy(to, pix[y*stride:])
			continue
		}
		n := uint32(k * k)
		for x := range p.Width {
			var b, g, r uint32
			for dy := range k {
				from := pix[(y*k+dy)*stride+3*k*x:]
				for dx := range k {
					b, g, r = b+uint32(from[3*dx]), g+uint32(from[3*dx+1]), r+uint32(from[3*dx+2])
				}
			}
			to[3*x], to[3*x+1], to[3*x+2] = byte(b/n), byte(g/n), byte(r/n)
		}
	}
}

// RGBA writes the picture into dst, whose memory it reuses.
func (p *Picture) RGBA(dst *image.RGBA) {
	n := 4 * p.Width * p.Height
	if cap(dst.Pix) < n {
		dst.Pix = make([]byte, n)
	}
	dst.Pix, dst.Stride, dst.Rect = dst.Pix[:n], 4*p.Width, p.Bounds()
	for i, j := 0, 0; i < n; i, j = i+4, j+3 {
		dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2], dst.Pix[i+3] = p.Pix[j+2], p.Pix[j+1], p.Pix[j], 255
	}
}

// BGR lends the pixels.
func (p *Picture) BGR() (pix []byte, stride int) { return p.Pix, 3 * p.Width }

// Bounds is (0, 0)-(Width, Height).
func (p *Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// ColorModel is color.RGBAModel.
func (p *Picture) ColorModel() color.Model { return color.RGBAModel }

// At implements image.Image.
func (p *Picture) At(x, y int) color.Color {
	if !image.Pt(x, y).In(p.Bounds()) {
		return color.RGBA{}
	}
	at := p.Pix[3*(y*p.Width+x):]
	return color.RGBA{R: at[2], G: at[1], B: at[0], A: 255}
}
