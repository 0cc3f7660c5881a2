package preprocess

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow hides an image's type, leaving only At.
type slow struct{ image.Image }

// bgr is what a camera frame looks like.
type bgr struct {
	*image.Paletted // for Bounds; its pixels must not be looked at
	pix             []byte
	stride          int
}

func (b bgr) BGR() ([]byte, int) { return b.pix, b.stride }

func toBGR(m *image.RGBA, gap int) bgr {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	b := bgr{Paletted: &image.Paletted{Rect: m.Rect}, stride: 3*w + gap, pix: make([]byte, (3*w+gap)*h)}
	for y := range h {
		for x := range w {
			p := m.Pix[y*m.Stride+4*x:]
			copy(b.pix[y*b.stride+3*x:], []byte{p[2], p[1], p[0]})
		}
	}
	return b
}

type subImager interface {
	image.Image
	SubImage(image.Rectangle) image.Image
}

// pictures is one noisy image of every type with a path of its own.
func pictures(r image.Rectangle) map[string]subImager {
	rng := rand.New(rand.NewPCG(5, 6))
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	}
	all := map[string]subImager{}
	rgba, nrgba, nrgba64, rgba64 := image.NewRGBA(r), image.NewNRGBA(r), image.NewNRGBA64(r), image.NewRGBA64(r)
	gray, gray16, cmyk := image.NewGray(r), image.NewGray16(r), image.NewCMYK(r)
	var colours color.Palette
	for i := range 200 {
		colours = append(colours, color.NRGBA{byte(7 * i), byte(i), byte(255 - i), 255})
	}
	pal := image.NewPaletted(r, colours)
	for _, pix := range [][]byte{rgba.Pix, nrgba.Pix, nrgba64.Pix, rgba64.Pix, gray.Pix, gray16.Pix, cmyk.Pix, pal.Pix} {
		fill(pix)
	}
	for i := 3; i < len(rgba.Pix); i += 4 { // opaque, then translucent rows
		a := byte(255)
		if i > len(rgba.Pix)/2 {
			a = byte(rng.Uint32())
		}
		rgba.Pix[i] = a
		for k := 1; k <= 3; k++ {
			rgba.Pix[i-k] = byte(int(rgba.Pix[i-k]) * int(a) / 255)
		}
	}
	for i := 0; i < len(rgba64.Pix); i += 8 {
		rgba64.Pix[i+6], rgba64.Pix[i+7] = 0xff, 0xff
	}
	for i := range pal.Pix {
		pal.Pix[i] %= 200
	}
	all["RGBA"], all["NRGBA"], all["NRGBA64"], all["RGBA64"] = rgba, nrgba, nrgba64, rgba64
	all["Gray"], all["Gray16"], all["CMYK"], all["Paletted"] = gray, gray16, cmyk, pal
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		m := image.NewYCbCr(r, ratio)
		fill(m.Y)
		fill(m.Cb)
		fill(m.Cr)
		all["YCbCr "+ratio.String()] = m
		n := image.NewNYCbCrA(r, ratio)
		fill(n.Y)
		fill(n.Cb)
		fill(n.Cr)
		fill(n.A)
		all["NYCbCrA "+ratio.String()] = n
	}
	return all
}

// rgbAt is the specification: one pixel, through package color.
func rgbAt(img image.Image, x, y int) [3]byte {
	switch c := img.At(x, y).(type) {
	case color.YCbCr:
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return [3]byte{r, g, b}
	case color.NYCbCrA:
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return [3]byte{r, g, b}
	case color.NRGBA64:
		return [3]byte{byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)}
	default:
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		return [3]byte{n.R, n.G, n.B}
	}
}

func TestSourceReadsEveryType(t *testing.T) {
	isas := kernel.ISAs()
	for _, full := range []image.Rectangle{image.Rect(0, 0, 23, 11), image.Rect(1, 0, 72, 7), image.Rect(5, 3, 31, 17), image.Rect(-6, -5, 20, 9)} {
		for name, img := range pictures(full) {
			for _, sub := range []image.Rectangle{full, image.Rect(full.Min.X+3, full.Min.Y+1, full.Max.X-2, full.Max.Y-1), image.Rect(full.Min.X+4, full.Min.Y+2, full.Max.X-3, full.Max.Y)} {
				part := img.SubImage(sub)
				for k, m := range []image.Image{part, part, slow{part}} {
					var s source
					if k == 0 {
						s.isa = isas[len(isas)-1]
					}
					require.NoError(t, s.set(m), name)
					for _, x := range []int{0, 1, 2, 5} {
						row := make([]byte, 3*(s.w-x-1))
						for y := range s.h {
							s.read(row, y, x)
							for i := 0; i < len(row); i += 3 {
								want := rgbAt(part, sub.Min.X+x+i/3, sub.Min.Y+y)
								require.Equal(t, want, [3]byte(row[i:]), "%s %T in %v, column %d row %d", name, m, sub, x+i/3, y)
							}
						}
					}
					require.NoError(t, s.check())
				}
			}
		}
	}
}

func TestAlphaIsDropped(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	m.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	p := processor(t, Spec{Width: 1, Height: 1})
	got, err := p.RGB(m)
	require.NoError(t, err)
	assert.Equal(t, []byte{200, 100, 50}, got)

	// Invalid premultiplied colours, brighter than their alpha, saturate.
	bright := &image.RGBA{Pix: []byte{255, 100, 0, 50}, Stride: 4, Rect: m.Rect}
	got, err = p.RGB(bright)
	require.NoError(t, err)
	assert.Equal(t, []byte{255, 255, 0}, got)
}

func TestBGR(t *testing.T) {
	m := noise(1, 19, 13)
	p := processor(t, Spec{Resize: 8, Width: 8, Height: 8, Interpolation: Bicubic})
	want, err := p.RGB(m)
	require.NoError(t, err)
	want = append([]byte(nil), want...)
	for _, gap := range []int{0, 1, 64} {
		got, err := p.RGB(toBGR(m, gap))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestBadImages(t *testing.T) {
	r := image.Rect(0, 0, 8, 4)
	short := toBGR(noise(1, 8, 4), 0)
	short.pix = short.pix[:len(short.pix)-1]
	narrow := toBGR(noise(1, 8, 4), 0)
	narrow.stride--
	ycc := func(edit func(*image.YCbCr)) image.Image {
		m := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
		edit(m)
		return m
	}
	for name, c := range map[string]struct {
		img  image.Image
		want error
	}{
		"nil":                 {nil, ErrBadImage},
		"empty":               {image.NewRGBA(image.Rect(0, 0, 0, 4)), ErrImageSize},
		"inverted":            {&image.RGBA{Rect: image.Rectangle{Min: image.Pt(5, 5)}}, ErrImageSize},
		"endless":             {image.NewUniform(color.White), ErrImageSize},
		"huge":                {&image.Gray{Rect: image.Rect(0, 0, 1<<15, 1<<14)}, ErrImageSize},
		"overflowing":         {&image.Gray{Rect: image.Rectangle{Min: image.Pt(math.MinInt, math.MinInt), Max: image.Pt(math.MaxInt, math.MaxInt)}}, ErrImageSize},
		"no pixels":           {&image.RGBA{Rect: r, Stride: 32}, ErrBadImage},
		"RGBA64 no pixels":    {&image.RGBA64{Rect: r, Stride: 64}, ErrBadImage},
		"short stride":        {&image.NRGBA{Rect: r, Stride: 31, Pix: make([]byte, 500)}, ErrBadImage},
		"negative stride":     {&image.Gray{Rect: r, Stride: -8, Pix: make([]byte, 500)}, ErrBadImage},
		"short BGR":           {short, ErrBadImage},
		"narrow BGR":          {narrow, ErrBadImage},
		"short luma":          {ycc(func(m *image.YCbCr) { m.Y = m.Y[:31] }), ErrBadImage},
		"short Cb":            {ycc(func(m *image.YCbCr) { m.Cb = m.Cb[:7] }), ErrBadImage},
		"short Cr":            {ycc(func(m *image.YCbCr) { m.Cr = m.Cr[:7] }), ErrBadImage},
		"chroma stride":       {ycc(func(m *image.YCbCr) { m.CStride = 3 }), ErrBadImage},
		"endless rows":        {&image.Gray{Rect: image.Rect(0, 0, 8, 5), Stride: 1 << 62, Pix: make([]byte, 500)}, ErrBadImage},
		"subsampling":         {ycc(func(m *image.YCbCr) { m.SubsampleRatio = 99 }), ErrBadImage},
		"colour not there":    {&image.Paletted{Rect: r, Stride: 8, Pix: make([]byte, 32), Palette: nil}, ErrBadImage},
		"elongated by resize": {&image.Gray{Rect: image.Rect(0, 0, 1<<22, 1), Stride: 1 << 22, Pix: make([]byte, 1<<22)}, ErrImageSize},
	} {
		t.Run(name, func(t *testing.T) {
			p := processor(t, Spec{Resize: 8, Width: 4, Height: 4})
			_, err := p.RGB(c.img)
			require.ErrorIs(t, err, c.want)
			// It must still be good for the next image, and not hold on to this one.
			assert.Nil(t, p.source.img)
			assert.Nil(t, p.source.pix)
			_, err = p.RGB(noise(1, 9, 7))
			require.NoError(t, err)
		})
	}
}
