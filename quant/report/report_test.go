package report

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// network is small and has one of each: its second channel of "stem" is dead.
func network(t *testing.T, name string) *nn.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	g := nn.NewGraph(nn.Shape{H: 8, W: 8, C: 3})
	w := nn.Window{In: 3, Out: 4, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1, Padding: nn.Pad(1)}
	x := g.Add(name, &nn.Conv2D{Window: w, Weight: random(4 * 27)}, 0)
	x = g.Add(name+".bn", &nn.BatchNorm{C: 4, Eps: 1e-3, Gamma: []float32{1, 0, 1, 1}, Beta: []float32{0, 1, 0, 0}, Mean: make([]float32, 4), Var: []float32{1, 1, 1, 1}}, x)
	x = g.Add("act", &nn.Activation{Func: nn.HardSwish}, x)
	x = g.Add("pool", &nn.GlobalAvgPool{}, x)
	g.Features = x
	g.Add("logits", &nn.Linear{In: 4, Out: 5, Weight: random(20), Bias: random(5)}, x)
	require.NoError(t, g.Check())
	return g
}

// images are noise of a size.
func images(n int, size float64) quant.Images {
	return func(yield func([]float32, error) bool) {
		r := rand.New(rand.NewPCG(3, 4))
		for range n {
			v := make([]float32, 8*8*3)
			for i := range v {
				v[i] = float32(size * math.Tanh(r.NormFloat64()))
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

func measured(t *testing.T, name string, size float64, workers int) (*nn.Graph, *Measurement) {
	t.Helper()
	g := network(t, name)
	q, found, err := quant.Quantise(context.Background(), g, images(6, 1), quant.Input{}, quant.Defaults())
	require.NoError(t, err)
	m, err := Measure(context.Background(), g, q, found.Layers, quant.Input{}, images(5, size), workers)
	require.NoError(t, err)
	return g, m
}

func TestMeasure(t *testing.T) {
	_, m := measured(t, "stem", 1, 1)
	require.Len(t, m.Layers, 3)
	assert.Len(t, m.Clipped, 5)
	stem, logits := m.Layers[0], m.Layers[2]
	assert.Equal(t, "stem", stem.Name)
	assert.Greater(t, stem.SQNR, 25.0, "the float node behind the activation is what the layer computes")
	assert.Less(t, stem.SQNR, 60.0)
	assert.Equal(t, 1, stem.Dead)
	assert.Less(t, stem.Clipped, 0.01)
	assert.True(t, stem.Weights)
	assert.Less(t, stem.WeightMin, stem.WeightMax)
	var float, int8 int64
	for b := range Bins {
		float += stem.Float[b]
		int8 += stem.Int8[b]
	}
	assert.EqualValues(t, 5*8*8*4, float)
	assert.Equal(t, float, int8)
	assert.Zero(t, logits.High, "logits stay float")
	assert.Greater(t, logits.SQNR, 15.0)

	_, again := measured(t, "stem", 1, 4)
	assert.Equal(t, m, again, "any number of workers")
}

func TestMeasureRefuses(t *testing.T) {
	g := network(t, "stem")
	q, found, err := quant.Quantise(context.Background(), g, images(2, 1), quant.Input{}, quant.Defaults())
	require.NoError(t, err)
	_, err = Measure(context.Background(), g, q, found.Layers, quant.Input{}, images(0, 1), 1)
	require.ErrorIs(t, err, ErrNoImages)
	_, err = Measure(context.Background(), g, q, found.Layers[1:], quant.Input{}, images(1, 1), 1)
	require.ErrorContains(t, err, "want one more node than layers")
	broken := errors.New("broken")
	_, err = Measure(context.Background(), g, q, found.Layers, quant.Input{}, func(yield func([]float32, error) bool) { yield(nil, broken) }, 2)
	require.ErrorIs(t, err, broken)
	_, err = Measure(context.Background(), g, q, found.Layers, quant.Input{}, func(yield func([]float32, error) bool) { yield(make([]float32, 3), nil) }, 2)
	require.ErrorContains(t, err, "image 0")
}

func TestAdvice(t *testing.T) {
	g, m := measured(t, "stem", 1, 2)
	say := strings.Join(advise(g, m, nil, true), "\n")
	assert.Contains(t, say, "1 channels in 1 layers have one value everywhere")
	assert.NotContains(t, say, "beyond its int8 range")
	assert.NotContains(t, say, "running variance")
	assert.Contains(t, strings.Join(advise(g, m, nil, false), "\n"), "No images were kept apart")

	_, far := measured(t, "stem", 9, 2)
	assert.Contains(t, strings.Join(advise(g, far, nil, true), "\n"), "stem: ", "brighter images than calibrated on are clipped")
	for _, n := range g.Nodes[1:] {
		if bn, ok := n.Op.(*nn.BatchNorm); ok {
			bn.Var[2] = 1e6
		}
	}
	m.Clipped = []float64{0, 0, 0.2, 0, 0}
	say = strings.Join(advise(g, m, []string{"a", "b", "odd.png", "d", "e"}, true), "\n")
	assert.Contains(t, say, "stem.bn: one channel's running variance")
	assert.Contains(t, say, "1 of 5 images do not look like those calibrated on, for example odd.png")
}

func TestPage(t *testing.T) {
	const evil = `<script>alert("x")</script>`
	g, m := measured(t, evil, 1, 2)
	p := Page{Model: evil, Preset: "default", Calibrated: 6, Apart: 5, Graph: g, Layers: m, Measured: []string{evil},
		Rows: []Row{{"size", "10", "3"}}, Notes: []string{evil},
		Changed: []Changed{{Name: evil, JPEG: []byte{1, 2, 3}, Was: evil, Is: "b", WasP: 0.5, IsP: 0.25}}, Others: 7}
	var b strings.Builder
	require.NoError(t, p.Write(&b))
	html := b.String()
	assert.NotContains(t, html, "<script")
	assert.Contains(t, html, "&lt;script&gt;")
	assert.NotRegexp(t, regexp.MustCompile(`(?i)https?://|src="//|@import|url\(`), html, "nothing is loaded")
	assert.Contains(t, html, "data:image/jpeg;base64,AQID")
	assert.NotContains(t, html, "ZgotmplZ")
	assert.Contains(t, html, "prefers-color-scheme: dark")
	assert.Equal(t, 3, strings.Count(html, "<svg"), "along the network, and two int8 layers")
	assert.Contains(t, html, "var(--first)")
	assert.NotContains(t, html, "#010", "every colour is the page's")
	assert.Contains(t, html, "and 7 more")
	assert.NotContains(t, html, "label:", "there are none")

	p.Changed, p.Others, p.Apart = nil, 0, 0
	b.Reset()
	require.NoError(t, p.Write(&b))
	assert.NotContains(t, b.String(), "changed its mind")
	assert.Contains(t, b.String(), "No images were kept apart")
}
