package preprocess

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// processor makes one, with defaults for what s leaves out.
func processor(t testing.TB, s Spec) *Processor {
	t.Helper()
	if s.Interpolation == "" {
		s.Interpolation = Bilinear
	}
	if s.Std == [3]float32{} {
		s.Mean, s.Std = imagenetMean, imagenetStd
	}
	p, err := New(s)
	require.NoError(t, err)
	assert.Equal(t, s, p.Spec())
	return p
}

func TestValidate(t *testing.T) {
	good, err := Preset("torchvision", 224, 224)
	require.NoError(t, err)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, edit := range map[string]func(*Spec){
		"negative resize":       func(s *Spec) { s.Resize = -1 },
		"huge resize":           func(s *Spec) { s.Resize = 1 << 20 },
		"no width":              func(s *Spec) { s.Width = 0 },
		"no height":             func(s *Spec) { s.Height = -3 },
		"huge crop":             func(s *Spec) { s.Width = 1 << 30 },
		"unknown interpolation": func(s *Spec) { s.Interpolation = "Bilinear" },
		"no interpolation":      func(s *Spec) { s.Interpolation = "" },
		"NaN mean":              func(s *Spec) { s.Mean[1] = nan },
		"infinite mean":         func(s *Spec) { s.Mean[1] = inf },
		"zero std":              func(s *Spec) { s.Std[2] = 0 },
		"negative std":          func(s *Spec) { s.Std[0] = -1 },
		"NaN std":               func(s *Spec) { s.Std[0] = nan },
		"infinite std":          func(s *Spec) { s.Std[0] = inf },
		"subnormal std":         func(s *Spec) { s.Std[0] = math.SmallestNonzeroFloat32 },
		"overflow":              func(s *Spec) { s.Mean[0], s.Std[0] = 1e30, 1e-30 },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			edit(&s)
			require.ErrorIs(t, s.Validate(), ErrSpec)
			_, err := New(s)
			require.ErrorIs(t, err, ErrSpec)
		})
	}
	require.NoError(t, good.Validate())
}

func TestPresets(t *testing.T) {
	for _, c := range []struct {
		name                  string
		width, height, resize int
		interpolation         string
		mean                  float32
	}{
		{"torchvision", 224, 224, 256, Bilinear, 0.485},
		{"torchvision", 64, 64, 73, Bilinear, 0.485},
		{"torchvision-v2", 224, 224, 232, Bilinear, 0.485},
		{"timm", 224, 224, 256, Bicubic, 0.485},
		{"timm", 240, 240, 274, Bicubic, 0.485},
		{"timm", 256, 192, 292, Bicubic, 0.485},
		{"whole", 64, 64, 64, Bilinear, 0.485},
		{"half", 224, 224, 224, Bilinear, 0.5},
		{"whole", 96, 160, 160, Bilinear, 0.485},
	} {
		s, err := Preset(c.name, c.width, c.height)
		require.NoError(t, err)
		assert.Equal(t, Spec{c.resize, c.width, c.height, c.interpolation, s.Mean, s.Std}, s)
		assert.Equal(t, c.mean, s.Mean[0])
		require.NoError(t, s.Validate())
	}
	assert.Equal(t, []string{"torchvision", "torchvision-v2", "timm", "whole", "half"}, Presets())

	_, err := Preset("imagenet", 224, 224)
	require.ErrorIs(t, err, ErrSpec)
	for _, name := range Presets() {
		assert.ErrorContains(t, err, name)
	}
	_, err = Preset("whole", 0, 224)
	require.ErrorIs(t, err, ErrSpec)
	_, err = Preset("torchvision", 8192, 8192) // would resize beyond the limit
	require.ErrorIs(t, err, ErrSpec)
}

func TestSpecTravelsAsJSON(t *testing.T) {
	s, err := Preset("timm", 224, 192)
	require.NoError(t, err)
	data, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `{"resize":256,"width":224,"height":192,"interpolation":"bicubic","mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}`, string(data))
	var back Spec
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, s, back)
}

func TestFloatAndInt8FollowTheCrop(t *testing.T) {
	p := processor(t, Spec{Resize: 20, Width: 17, Height: 23, Interpolation: Bicubic})
	img := noise(3, 40, 31)
	rgb, err := p.RGB(img)
	require.NoError(t, err)
	rgb = append([]byte(nil), rgb...)

	f := make([]float32, len(rgb))
	require.NoError(t, p.Float(f, img))
	var table [3][256]int8
	for c := range table {
		for v := range table[c] {
			table[c][v] = int8(v*(c+1) + 5*c)
		}
	}
	q := make([]int8, len(rgb))
	require.NoError(t, p.Int8(q, &table, img))
	for i, v := range rgb {
		want := float32(v) / 255
		want -= imagenetMean[i%3]
		want /= imagenetStd[i%3]
		require.Equal(t, want, f[i])
		require.Equal(t, table[i%3][v], q[i])
	}

	for _, n := range []int{0, len(rgb) - 1, len(rgb) + 1} {
		require.ErrorIs(t, p.Float(make([]float32, n), img), ErrBuffer)
		require.ErrorIs(t, p.Int8(make([]int8, n), &table, img), ErrBuffer)
	}
	require.ErrorIs(t, p.Float(f, nil), ErrBadImage)
	require.ErrorIs(t, p.Int8(q, &table, nil), ErrBadImage)
}

// The table of networks that take pixels as they are has a path of its own.
func TestPlainLevels(t *testing.T) {
	for n := range 30 {
		rgb := noise(uint64(n), n+1, 1).Pix[:n]
		got := make([]int8, n)
		flip(got, rgb)
		for i, v := range rgb {
			require.Equal(t, plainLevels[i%3][v], got[i])
		}
	}
}

// One Processor sees images of many sizes, some of which leave padding; nothing
// of one may show in the next.
func TestProcessorForgetsTheLastImage(t *testing.T) {
	spec := Spec{Width: 30, Height: 30}
	p := processor(t, spec)
	for i, size := range [][2]int{{40, 50}, {10, 12}, {40, 12}, {31, 30}, {10, 12}, {5, 60}} {
		img := noise(uint64(i), size[0], size[1])
		got, err := p.RGB(img)
		require.NoError(t, err)
		want, err := processor(t, spec).RGB(img)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// inputs are the same picture as it comes from files and cameras.
func inputs(w, h int) map[string]image.Image {
	m := noise(1, w, h)
	ycc := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio420)
	for i := range ycc.Y {
		ycc.Y[i] = m.Pix[4*i]
	}
	copy(ycc.Cb, m.Pix)
	copy(ycc.Cr, m.Pix[7:])
	nrgba := &image.NRGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
	gray := &image.Gray{Pix: m.Pix, Stride: w, Rect: m.Rect}
	frame := toBGR(m, 0)
	return map[string]image.Image{"YCbCr": ycc, "RGBA": m, "NRGBA": nrgba, "Gray": gray, "BGR": &frame,
		"YUYV": randomYUYV(w, h), "NV12": randomNV12(w, h)}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := processor(t, Spec{Resize: 36, Width: 32, Height: 32})
	n := 3 * 32 * 32
	f, q := make([]float32, n), make([]int8, n)
	var table [3][256]int8
	for name, img := range inputs(64, 48) {
		require.NoError(t, p.Float(f, img))
		var err error
		allocs := testing.AllocsPerRun(20, func() {
			_, e1 := p.RGB(img)
			e2, e3 := p.Float(f, img), p.Int8(q, &table, img)
			if e1 != nil || e2 != nil || e3 != nil {
				err = fmt.Errorf("%v, %v, %v", e1, e2, e3)
			}
		})
		require.NoError(t, err)
		assert.Zero(t, allocs, name)
	}
}

func BenchmarkInt8(b *testing.B) {
	for _, filter := range []string{Bilinear, Bicubic} {
		for _, name := range []string{"YCbCr", "YUYV", "NV12", "RGBA", "BGR"} {
			b.Run("640x480-to-224/"+filter+"/"+name, func(b *testing.B) {
				p := processor(b, Spec{Resize: 256, Width: 224, Height: 224, Interpolation: filter})
				img := inputs(640, 480)[name]
				dst := make([]int8, 3*224*224)
				b.ReportAllocs()
				for b.Loop() {
					if err := p.Int8(dst, &plainLevels, img); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
