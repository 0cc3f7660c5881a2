package sdk

import (
	"context"
	"image"
	"image/color"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

var labels = []string{"ant", "bee", "cat", "dog", "eel", "fox", "gnu"}

var spec = sync.OnceValue(func() preprocess.Spec {
	s, err := preprocess.Preset("torchvision", 32, 40)
	if err != nil {
		panic(err)
	}
	return s
})

// thin is a narrow MobileNetV3-Small with random weights.
var thin = sync.OnceValues(func() (*nn.Graph, error) {
	c := mobilenetv3.Default(mobilenetv3.Small)
	c.Width, c.Classes, c.Height, c.InputW = 0.25, len(labels), 40, 32
	g, err := mobilenetv3.New(c)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range g.Nodes[1:] {
		for _, p := range n.Op.Params() {
			spread := 0.1
			if len(p.Shape) > 1 {
				spread = math.Sqrt(2 / float64(p.Len()/p.Shape[0]))
			}
			_, norm := n.Op.(*nn.BatchNorm)
			for range p.Len() {
				v := spread * rng.NormFloat64()
				if norm && (p.Name == "weight" || p.Name == "running_var") {
					v = 1 + 0.2*rng.Float64()
				}
				*p.Data = append(*p.Data, float32(v))
			}
		}
	}
	return g, nil
})

var quantised = sync.OnceValues(func() (*nn.Quantised, error) {
	g, err := thin()
	if err != nil {
		return nil, err
	}
	pixels, err := preprocess.New(spec())
	if err != nil {
		return nil, err
	}
	var images iter.Seq2[[]float32, error] = func(yield func([]float32, error) bool) {
		for seed := range 8 {
			x := make([]float32, g.Input().Len())
			if err := pixels.Float(x, picture(seed, 50, 50)); !yield(x, err) {
				return
			}
		}
	}
	s := spec()
	q, _, err := quant.Quantise(context.Background(), g, quant.Images(images), quant.Input{Mean: s.Mean[:], Std: s.Std[:]}, quant.Defaults())
	return q, err
})

// file is the test network in a precision.
func file(t testing.TB, p modelfile.Precision) *modelfile.Model {
	m := &modelfile.Model{
		Name: "mobilenet_v3_small", Precision: p, Preprocess: spec(), Labels: labels,
		Provenance: map[string]string{"source": "random"},
	}
	g, err := thin()
	require.NoError(t, err)
	switch p {
	case modelfile.Int8:
		m.Quantised, err = quantised()
	case modelfile.FP16:
		m.Graph, err = quant.HalfWeights(g)
	default:
		m.Graph = g
	}
	require.NoError(t, err)
	return m
}

// saved is a path to the test network.
func saved(t testing.TB, p modelfile.Precision) string {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, modelfile.Write(path, file(t, p)))
	return path
}

func open(t testing.TB, p modelfile.Precision, opts ...Option) *Model {
	m, err := Open(saved(t, p), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

var precisions = []modelfile.Precision{modelfile.Float32, modelfile.FP16, modelfile.Int8}

// picture has smooth colours and some noise, all of the seed.
func picture(seed, w, h int) *image.RGBA {
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	a, b, c := rng.Float64()*6, rng.Float64()*6, rng.Float64()*6
	level := func(phase, x float64) uint8 {
		return uint8(127.5 + 100*math.Sin(phase+x) + 20*(rng.Float64()-0.5))
	}
	for y := range h {
		for x := range w {
			u, v := a*float64(x)/float64(w), b*float64(y)/float64(h)
			img.SetRGBA(x, y, color.RGBA{level(a, u+v), level(b, u-c), level(c, v*u), 255})
		}
	}
	return img
}

// slow is an image that says when it is looked at and then waits.
type slow struct {
	image.Image
	begun   chan struct{}
	release chan struct{}
	once    *sync.Once
}

func newSlow() slow {
	return slow{picture(1, 40, 50), make(chan struct{}), make(chan struct{}), &sync.Once{}}
}

func (s slow) At(x, y int) color.Color {
	s.once.Do(func() { close(s.begun); <-s.release })
	return s.Image.At(x, y)
}
