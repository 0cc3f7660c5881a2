package quant

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
)

// compare runs the float graph and its int8 form over images.
func compare(t *testing.T, g *nn.Graph, q *nn.Quantised, images [][]float32) (features, logits SQNR) {
	t.Helper()
	f, err := nn.NewFloat(g)
	require.NoError(t, err)
	r, err := NewReference(q)
	require.NoError(t, err)
	in := inputTensor(input, newStats(3))
	last := logitsNode(g)
	for _, image := range images {
		_, err := f.Run(image)
		require.NoError(t, err)
		got, err := r.Run(in.quantise(image))
		require.NoError(t, err)
		logits.Add(f.Output(last).Data, got)
		features.Add(f.Output(g.Features).Data, r.Features())
	}
	return features, logits
}

func TestQuantiseRandomGraphs(t *testing.T) {
	for seed := range uint64(30) {
		g := randomGraph(t, seed)
		q, report, err := Quantise(t.Context(), g, sequence(pixels(g.Input(), 40, 100+seed)), input, Defaults())
		require.NoError(t, err)
		assert.Equal(t, []int{40, 40}, []int{report.Images, report.Held})
		assert.Len(t, report.Layers, len(q.Nodes)-1)
		assert.Equal(t, "pool", q.Nodes[q.Features].Name)
		features, logits := compare(t, g, q, pixels(g.Input(), 20, 200+seed))
		assert.Greater(t, features.DB(), 22.0, "seed %d", seed)
		assert.Greater(t, logits.DB(), 20.0, "seed %d", seed)
	}
}

func TestQuantiseMobileNetV3(t *testing.T) {
	c := mobilenetv3.Default(mobilenetv3.Small)
	c.Height, c.InputW, c.Classes = 32, 32, 10
	g, err := mobilenetv3.New(c)
	require.NoError(t, err)
	fill(g, newRand(5))
	q, _, err := Quantise(t.Context(), g, sequence(pixels(g.Input(), 24, 1)), input, Defaults())
	require.NoError(t, err)
	f, _ := compare(t, g, q, pixels(g.Input(), 8, 2))
	assert.Greater(t, f.DB(), 15.0)
	var adds int
	for _, n := range q.Nodes {
		if c, ok := n.Op.(*nn.QConv); ok && c.Residual {
			adds++
		}
		_, alone := n.Op.(*nn.QAdd)
		assert.False(t, alone, "%s: every residual of MobileNetV3 belongs into a projection", n.Name)
	}
	assert.Equal(t, 6, adds)
}

func TestQuantiseIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	g := randomGraph(t, 4)
	images := sequence(pixels(g.Input(), 21, 4))
	opts := Defaults()
	opts.Workers = 1
	want, _, err := Quantise(t.Context(), g, images, input, opts)
	require.NoError(t, err)
	for _, workers := range []int{2, 3, 16} {
		opts.Workers = workers
		got, _, err := Quantise(t.Context(), g, images, input, opts)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// The default preset must not lose where plain ranges and rounding do well, with
// few images and with many, on networks it was never tried on.
func TestDefaultIsNeverMuchBelowMinMax(t *testing.T) {
	fast, err := Preset("fast")
	require.NoError(t, err)
	for seed := range uint64(40) {
		g := randomGraph(t, 1000+seed)
		images := pixels(g.Input(), 4+int(seed)%5*20, seed)
		unseen := pixels(g.Input(), 40, 500+seed)
		plain, _, err := Quantise(t.Context(), g, sequence(images), input, fast)
		require.NoError(t, err)
		best, _, err := Quantise(t.Context(), g, sequence(images), input, Defaults())
		require.NoError(t, err)
		was, _ := compare(t, g, plain, unseen)
		is, _ := compare(t, g, best, unseen)
		t.Logf("%d images: %.2f dB, %.2f dB", len(images), was.DB(), is.DB())
		assert.Greater(t, is.DB(), was.DB()-0.5, "seed %d", seed)
	}
}

// Outlandish weights must give an error or a network that passes Check, never a
// panic or a number that is not finite.
func TestQuantiseOutlandishWeights(t *testing.T) {
	for seed := range uint64(60) {
		g := randomGraph(t, seed)
		r := newRand(seed)
		for _, n := range g.Nodes[1:] {
			for _, p := range n.Op.Params() {
				if p.Name == "running_var" {
					continue
				}
				factor := float32(math.Exp(6 * r.NormFloat64()))
				for i := range *p.Data {
					switch r.IntN(12) {
					case 0:
						(*p.Data)[i] = 0
					case 1:
						(*p.Data)[i] *= factor
					}
				}
			}
		}
		q, _, err := Quantise(t.Context(), g, sequence(pixels(g.Input(), 5, seed)), input, Defaults())
		if err == nil {
			assert.NoError(t, q.Check())
		} else {
			assert.ErrorContains(t, err, ":", "an error names its place")
		}
	}
}

func TestQuantiseErrors(t *testing.T) {
	g := randomGraph(t, 6)
	images := pixels(g.Input(), 3, 1)
	broken := errors.New("disk on fire")
	nan := append([]float32(nil), images[0]...)
	nan[5] = float32(math.NaN())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		change func(*nn.Graph)
		images Images
		opts   Options
		is     error
		says   string
	}{
		{name: "no images", images: sequence(nil), is: ErrNoImages},
		{name: "source fails", images: func(yield func([]float32, error) bool) { _ = yield(images[0], nil) && yield(nil, broken) }, is: broken, says: "image 1"},
		{name: "NaN", images: sequence([][]float32{nan}), says: "not finite"},
		{name: "size", images: sequence([][]float32{images[0][:7]}), says: "7 values"},
		{name: "alpha", images: sequence(images), opts: Options{Alpha: 1.5}, says: "alpha is 1.5"},
		{name: "no percentile", images: sequence(images), opts: Options{Ranges: Percentile}, says: "percentile is 0"},
		{name: "percentile", images: sequence(images), opts: Options{Ranges: Percentile, Percentile: 101}, says: "percentile is 101"},
		{name: "ranges", images: sequence(images), opts: Options{Ranges: 9}, says: "unknown way 9"},
		{name: "cancelled", ctx: cancelled, images: sequence(images), is: context.Canceled},
		{name: "weights", images: sequence(images), says: "project.weight[2]", change: func(g *nn.Graph) {
			id, _ := g.Lookup("project")
			g.Nodes[id].Op.(*nn.Conv2D).Weight[2] = float32(math.Inf(1))
		}},
		{name: "inner", images: sequence(images), says: "inner activation sigmoid", change: func(g *nn.Graph) {
			id, _ := g.Lookup("se")
			g.Nodes[id].Op.(*nn.SqueezeExcite).Inner = nn.Sigmoid
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := randomGraph(t, 6)
			if c.change != nil {
				c.change(g)
			}
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			_, _, err := Quantise(ctx, g, c.images, input, c.opts)
			require.Error(t, err)
			if c.is != nil {
				assert.ErrorIs(t, err, c.is)
			}
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestProgressEndsAtTheEnd(t *testing.T) {
	g := randomGraph(t, 7)
	seen := map[string][2]int{}
	opts := Defaults()
	opts.Images = 6
	opts.Progress = func(stage string, done, total int) { seen[stage] = [2]int{done, total} }
	_, _, err := Quantise(t.Context(), g, sequence(pixels(g.Input(), 6, 1)), input, opts)
	require.NoError(t, err)
	assert.Equal(t, [2]int{6, 6}, seen["calibrate"])
	assert.Equal(t, seen["quantise"][1], seen["quantise"][0])
}
