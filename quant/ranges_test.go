package quant

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seedge/seedge/nn"
)

func TestScales(t *testing.T) {
	lo, hi := []float32{0, -1, 0}, []float32{25.5, 1.55, 0}
	assert.InDeltaSlice(t, []float64{0.1, 0.1, 0.1}, scales(lo, hi, 0), 1e-9)
	assert.InDeltaSlice(t, []float64{0.1, 0.01, 0.1 / coarsest}, scales(lo, hi, 1), 1e-9)
	assert.InDelta(t, 0.0316, scales(lo, hi, 0.5)[1], 1e-4)
	assert.Equal(t, []float64{1, 1}, scales(make([]float32, 2), make([]float32, 2), 0.75))
}

// Every value that was seen must be representable, and so must 0.
func TestZeroCoversTheRange(t *testing.T) {
	r := newRand(2)
	for range 1000 {
		lo, hi := -r.ExpFloat64()*float64(r.IntN(2)), r.ExpFloat64()*float64(r.IntN(2))
		s := max((hi-lo)/255, 1e-6) * (1 + 3*r.Float64())
		z := float64(zero(lo, hi, s, lowest(nn.Func(r.IntN(3)))))
		assert.LessOrEqual(t, s*(-128-z), lo+s*0.51)
		assert.GreaterOrEqual(t, s*(127-z), hi-s*0.51)
	}
}

func TestInputTensorIsLossless(t *testing.T) {
	in := inputTensor(input, newStats(3))
	for c := range 3 {
		for v := range 256 {
			real := (float64(float32(v))/255 - float64(input.Mean[c])) / float64(input.Std[c])
			got := in.scale[c]*float64(v-128-int(in.zero[c])) + in.offset[c]
			assert.InDelta(t, real, got, 1e-6)
		}
	}
	image := make([]float32, 3)
	for c := range image {
		image[c] = (200.0/255 - input.Mean[c]) / input.Std[c]
	}
	assert.Equal(t, []int8{72, 72, 72}, in.quantise(image))
}

func TestInputTensorOfUnknownNormalisation(t *testing.T) {
	s := newStats(1)
	s.observe(nn.Tensor{Shape: nn.Shape{H: 1, W: 2, C: 1}, Data: []float32{-1, 1.55}}, true)
	in := inputTensor(Input{}, s)
	assert.InDelta(t, 0.01, in.scale[0], 1e-6)
	assert.Equal(t, []int8{-28}, in.zero)
	assert.Nil(t, in.offset)
}
