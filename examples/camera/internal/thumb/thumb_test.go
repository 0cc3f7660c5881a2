package thumb

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/assert"
)

// frame is an image with BGR pixels and some filling in each row.
type frame struct {
	*image.RGBA
	pix []byte
}

func (f frame) BGR() ([]byte, int) { return f.pix, 3*f.Rect.Dx() + 5 }

func picture(w, h int) frame {
	f := frame{RGBA: image.NewRGBA(image.Rect(0, 0, w, h))}
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(7 * x), uint8(11 * y), uint8(x + y), 255}
			f.SetRGBA(x, y, c)
			f.pix = append(f.pix, c.B, c.G, c.R)
		}
		f.pix = append(f.pix, 1, 2, 3, 4, 5)
	}
	return f
}

func TestCopy(t *testing.T) {
	for _, c := range []struct{ w, h, most, width, height int }{
		{6, 4, 6, 6, 4}, {6, 4, 100, 6, 4}, {6, 4, 5, 3, 2}, {7, 5, 4, 3, 2}, {9, 9, 3, 3, 3},
	} {
		f := picture(c.w, c.h)
		var fast, slow Picture
		fast.Copy(f, c.most)
		slow.Copy(f.RGBA, c.most)
		assert.Equal(t, image.Rect(0, 0, c.width, c.height), fast.Bounds())
		assert.Equal(t, slow, fast, "%v", c)
		var rgba image.RGBA
		fast.RGBA(&rgba)
		for y := range c.height {
			for x := range c.width {
				assert.Equal(t, rgba.At(x, y), fast.At(x, y))
			}
		}
	}
	var p Picture
	f := picture(6, 4)
	p.Copy(f, 6)
	assert.Equal(t, f.At(2, 3), p.At(2, 3))
	assert.Equal(t, color.RGBA{}, p.At(6, 0))
	p.Copy(f, 3)
	assert.Equal(t, color.RGBA{R: 3, G: 5, B: 1, A: 255}, p.At(0, 0), "the mean of four")
	assert.Zero(t, testing.AllocsPerRun(10, func() { p.Copy(&f, 3) }))
}
