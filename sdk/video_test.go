package sdk

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
)

// videoFrames are pictures as cameras give them, of odd sizes.
func videoFrames(full bool) (*YUYV, *NV12) {
	const w, h = 71, 53
	a := &YUYV{Stride: 4 * (w + 1) / 2, Rect: image.Rect(0, 0, w, h), FullRange: full}
	a.Pix = make([]byte, a.Stride*h)
	b := &NV12{YStride: w, CStride: w + 1, Rect: a.Rect, FullRange: full}
	b.Y, b.CbCr = make([]byte, w*h), make([]byte, b.CStride*(h+1)/2)
	for _, pix := range [][]byte{a.Pix, b.Y, b.CbCr} {
		for i := range pix {
			pix[i] = byte(i*i/97 + 31*i)
		}
	}
	return a, b
}

// TestVideoFrames: a frame, or a part of it, gets the results of the same pixels
// as RGBA.
func TestVideoFrames(t *testing.T) {
	m := open(t, modelfile.Int8)
	for _, full := range []bool{false, true} {
		a, b := videoFrames(full)
		part := image.Rect(3, 5, 60, 44)
		for _, img := range []image.Image{a, b, a.SubImage(part), b.SubImage(part)} {
			rgba := image.NewRGBA(img.Bounds())
			draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
			want, err := m.Logits(t.Context(), rgba)
			require.NoError(t, err)
			got, err := m.Logits(t.Context(), img)
			require.NoError(t, err)
			assert.Equal(t, want, got, "%T %v", img, img.Bounds())
		}
	}
}

func TestVideoColours(t *testing.T) {
	black := []byte{16, 128, 235, 128}
	a := &YUYV{Pix: black, Stride: 4, Rect: image.Rect(0, 0, 2, 1)}
	assert.Equal(t, color.RGBA{A: 255}, a.At(0, 0))
	assert.Equal(t, color.RGBA{R: 255, G: 255, B: 255, A: 255}, a.At(1, 0))
	assert.Equal(t, color.RGBA{}, a.At(2, 0), "outside")
	a.FullRange = true
	assert.Equal(t, color.RGBA{R: 16, G: 16, B: 16, A: 255}, a.At(0, 0))

	b := &NV12{Y: []byte{81, 81}, YStride: 2, CbCr: []byte{90, 240}, CStride: 2, Rect: image.Rect(0, 0, 2, 1)}
	assert.Equal(t, color.RGBA{R: 254, A: 255}, b.At(1, 0), "the red of colour bars")
	assert.Equal(t, color.RGBA{}, b.At(0, 1), "outside")
}

func TestBadVideoFrames(t *testing.T) {
	m := open(t, modelfile.Int8)
	a, b := videoFrames(false)
	a.Stride--
	b.CbCr = b.CbCr[1:]
	for _, img := range []image.Image{a, b} {
		_, err := m.Logits(t.Context(), img)
		assert.True(t, errors.Is(err, ErrBadImage), "%T: %v", img, err)
	}
}
