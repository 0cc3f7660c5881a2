package quant

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

func TestClip(t *testing.T) {
	s := newStats(2)
	v := nn.NewTensor(nn.Shape{H: 1000, W: 1, C: 2})
	r := newRand(9)
	for i := range 1000 {
		v.Data[2*i] = float32(r.Float64())
		v.Data[2*i+1] = float32(-r.Float64())
	}
	v.Data[0] = 100 // an outlier that takes the whole range
	s.observe(v, true)
	s.fill(v)
	assert.Equal(t, []float32{100, 0}, s.max)
	s.clip(99.5)
	assert.InDelta(t, 1, s.max[0], 100.0/bins+0.01, "the outlier is clipped, all else is kept")
	assert.InDelta(t, -1, s.min[1], 0.01)
	assert.Zero(t, s.min[0])
	assert.Zero(t, s.max[1], "0 stays representable")
}

func TestPercentileReachesTheScales(t *testing.T) {
	g := randomGraph(t, 8)
	images := sequence(pixels(g.Input(), 10, 1))
	wide, _, err := Quantise(t.Context(), g, images, input, Options{Alpha: 1})
	require.NoError(t, err)
	narrow, _, err := Quantise(t.Context(), g, images, input, Options{Alpha: 1, Ranges: Percentile, Percentile: 98})
	require.NoError(t, err)
	for c, s := range narrow.Nodes[2].Out.Scale {
		assert.LessOrEqual(t, s, wide.Nodes[2].Out.Scale[c])
	}
	assert.NotEqual(t, wide.Nodes[2].Out.Scale, narrow.Nodes[2].Out.Scale)
}
