package camera

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	_ image.Image       = (*Frame)(nil)
	_ image.RGBA64Image = (*Frame)(nil)
	_ interface {
		BGR() (pix []byte, stride int)
	} = (*Frame)(nil)
)

// testFrame has a different colour at every pixel; its rows are padded by two
// bytes in the source.
func testFrame(t *testing.T, width, height int) *Frame {
	stride := width*3 + 2
	pix := make([]byte, stride*height)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	f := NewFrame(pix, stride, width, height)
	require.NotNil(t, f)
	return f
}

func TestFrameIsAnImage(t *testing.T) {
	f := testFrame(t, 5, 3)
	assert.Equal(t, image.Rect(0, 0, 5, 3), f.Bounds())
	pix, stride := f.BGR()
	assert.Equal(t, 15, stride)
	assert.Len(t, pix, 45)
	for y := range 3 {
		for x := range 5 {
			i := (y*17 + x*3) * 7
			want := color.RGBA{R: byte(i + 14), G: byte(i + 7), B: byte(i), A: 255}
			assert.Equal(t, want, f.At(x, y))
		}
	}
	assert.Equal(t, color.RGBA{}, f.At(5, 0))
	assert.Equal(t, color.RGBA{}, f.At(0, -1))

	// image/draw takes the fast path; it must agree with At.
	drawn := image.NewRGBA(f.Bounds())
	draw.Draw(drawn, f.Bounds(), f, image.Point{}, draw.Src)
	for y := range 3 {
		for x := range 5 {
			assert.Equal(t, f.At(x, y), drawn.At(x, y))
		}
	}
}

func TestFrameClone(t *testing.T) {
	f := testFrame(t, 4, 4)
	c := f.Clone()
	assert.Equal(t, f, c)
	f.pix[0]++
	assert.NotEqual(t, f.pix[0], c.pix[0])
}

func TestNewFrameRefuses(t *testing.T) {
	assert.Nil(t, NewFrame(make([]byte, 11), 6, 2, 2))
	assert.NotNil(t, NewFrame(make([]byte, 12), 6, 2, 2))
	assert.Nil(t, NewFrame(make([]byte, 100), 5, 2, 2))
	assert.Nil(t, NewFrame(make([]byte, 100), 6, 0, 2))
	assert.Nil(t, NewFrame(make([]byte, 100), 6, 2, -1))
}
