package quant

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

// pair is a graph of two layers whose first output is to be quantised.
func pair(t *testing.T) *nn.Graph {
	g := nn.NewGraph(nn.Shape{H: 4, W: 4, C: 2})
	x := g.Add("first", conv(2, 4, 1, 1, 1, nn.Padding{}, true), 0)
	x = g.Add("second", conv(4, 4, 1, 1, 1, nn.Padding{}, true), x)
	g.Features = g.Add("pool", &nn.GlobalAvgPool{}, x)
	g.Add("classifier", &nn.Linear{In: 4, Out: 3}, g.Features)
	require.NoError(t, g.Err())
	return fill(g, newRand(3))
}

// seenOf calibrates a graph on random images, each times its factor.
func seenOf(t *testing.T, g *nn.Graph, factors []float64) ([]step, *calibration) {
	r := newRand(77)
	images := make([][]float32, len(factors))
	for i, f := range factors {
		images[i] = make([]float32, g.Input().Len())
		for k := range images[i] {
			images[i][k] = float32(f * r.NormFloat64())
		}
	}
	steps, err := plan(g)
	require.NoError(t, err)
	opts := Defaults()
	opts.Images = len(factors)
	seen, err := calibrate(t.Context(), g, newSampler(g, steps, opts), len(factors), sequence(images), opts)
	require.NoError(t, err)
	return steps, seen
}

// A margin costs steps where every fold fills the ranges alike, and saves a fold
// that goes beyond the ranges of the others.
func TestMarginsAreForWhatOtherImagesDoNotShow(t *testing.T) {
	g := pair(t)
	factors := make([]float64, 64)
	for i := range factors {
		factors[i] = 1
		if i%shards == 0 {
			factors[i] = 2
		}
	}
	_, seen := seenOf(t, g, factors)
	r := &ranger{graph: g, seen: seen, by: sensitivity(g, seen), users: g.Consumers()}
	tight, wide := choice{0.75, 1}, choice{0.75, 2}
	assert.Less(t, r.foldNoise(1, nn.Identity, wide, 0), r.foldNoise(1, nn.Identity, tight, 0))
	assert.Greater(t, r.foldNoise(1, nn.Identity, wide, 1), r.foldNoise(1, nn.Identity, tight, 1))
	r.opts.Ranges = MSE // knows fold 0's range
	assert.Greater(t, r.foldNoise(1, nn.Identity, wide, 0), r.foldNoise(1, nn.Identity, tight, 0))
}

// Mean squared error leaves the spread as it is told.
func TestMSE(t *testing.T) {
	g := pair(t)
	steps, seen := seenOf(t, g, []float64{1, 2, 1, 5, 1, 1, 1, 1})
	choices := chooseRanges(g, steps, seen, Options{Ranges: MSE, Alpha: 0.5})
	for _, c := range choices {
		assert.Equal(t, 0.5, c.alpha)
	}
	assert.LessOrEqual(t, choices[1].margin, 1.0, "a wider range than seen is no use to the images that it was seen on")
}

// The estimate against the truth: noise that is put into one channel of a tensor
// arrives at the features as predicted.
func TestSensitivityOfALinearNetwork(t *testing.T) {
	g := pair(t)
	_, seen := seenOf(t, g, []float64{1, 1, 1, 1, 1, 1, 1, 1})
	by := sensitivity(g, seen)
	second := g.Nodes[2].Op.(*nn.Conv2D)
	last := g.Nodes[4].Op.(*nn.Linear)
	var features, logits float64
	for c := range 4 {
		features += seen.nodes[3].square(c)
	}
	for c := range 3 {
		logits += seen.nodes[4].square(c)
	}
	for c := range 4 { // a flat error of size 1 in channel c of the first layer
		want := 0.0
		for o := range 4 {
			w := float64(second.Weight[o*4+c])
			each := 1 / features
			for l := range 3 {
				v := float64(last.Weight[l*4+o])
				each += v * v / logits
			}
			want += w * w * each
		}
		assert.InEpsilon(t, want, by[1].flat[c], 1e-6)
		assert.InEpsilon(t, want/16, by[1].grain[c], 1e-6, "16 pixels average grain away")
	}
}

func TestSlopes(t *testing.T) {
	for _, f := range []nn.Func{nn.Identity, nn.ReLU, nn.ReLU6, nn.HardSwish, nn.HardSigmoid, nn.Sigmoid} {
		for _, x := range []float64{-4, -2, -0.5, 0.5, 2, 4, 7} {
			const h = 1e-2
			numeric := float64(f.Apply(float32(x+h))-f.Apply(float32(x-h))) / (2 * h)
			assert.InDelta(t, numeric, slope(f, x), 1e-3, "%v at %g", f, x)
		}
	}
}

func TestPositions(t *testing.T) {
	s := sampler{seed: 1}
	assert.Equal(t, []int{0, 1, 2}, s.positions(5, 3, 3))
	a := s.positions(1, 10, 95)
	for k, p := range a {
		assert.True(t, p >= k*95/10 && p < (k+1)*95/10)
	}
	assert.Equal(t, a, s.positions(1, 10, 95))
	assert.NotEqual(t, a, s.positions(2, 10, 95))
	assert.NotEqual(t, a, sampler{seed: 2}.positions(1, 10, 95))
}

func TestQuota(t *testing.T) {
	assert.Equal(t, 49, quota(960, 49, Options{Images: 200}), "no more than there are")
	assert.Equal(t, 21, quota(9, 12544, Options{Images: 200}))
	assert.Equal(t, 77, quota(960, 12544, Options{Images: 200}))
	assert.Equal(t, 154, quota(960, 12544, Options{Images: 200, Fine: true}))
	assert.Equal(t, 1, quota(9, 12544, Options{Images: 100_000}))
}

func TestPresets(t *testing.T) {
	for _, name := range Presets {
		o, err := Preset(name)
		require.NoError(t, err)
		require.NoError(t, o.check())
	}
	_, err := Preset("good")
	assert.ErrorContains(t, err, `preset "good", want one of fast, default, best`)
}
