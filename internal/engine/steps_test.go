package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
)

// TestSteps holds the description of a plan to what is known of the network.
func TestSteps(t *testing.T) {
	p, err := Compile(mobilenet(t, mobilenetv3.Large, 224))
	require.NoError(t, err)
	steps := p.Steps()
	var macs int64
	weights := 0
	for _, s := range steps {
		assert.NotEmpty(t, s.Name)
		assert.NotEmpty(t, s.Kernel, s.Name)
		assert.NotEmpty(t, s.ISA, s.Name)
		assert.NotEmpty(t, s.Inputs, s.Name)
		macs += s.MACs
		weights += s.WeightBytes
	}
	assert.EqualValues(t, 216_589_760, macs)
	assert.Equal(t, macs, p.MACs())
	assert.Equal(t, weights, p.WeightBytes())
	assert.Equal(t, nn.Shape{H: 224, W: 224, C: 3}, p.Input())
	first, last := steps[0], steps[len(steps)-1]
	assert.Equal(t, 224*224*3, first.InputBytes)
	assert.Equal(t, 112*112*16, first.OutputBytes)
	assert.Equal(t, 4000, last.OutputBytes)
}

// TestRunTimed: the result is Run's, and every step takes time.
func TestRunTimed(t *testing.T) {
	g := newGenerator(5)
	p, err := Compile(g.network())
	require.NoError(t, err)
	s := p.NewSession()
	input := make([]int8, len(s.Input()))
	g.fill(input)
	copy(s.Input(), input)
	want := bits(s.Run())

	elapsed := make([]time.Duration, len(p.Steps()))
	for range 1000 { // some clocks are coarse
		copy(s.Input(), input)
		require.Equal(t, want, bits(s.RunTimed(elapsed)))
	}
	for i, d := range elapsed {
		assert.Positive(t, d, p.Steps()[i].Name)
	}
	assert.Zero(t, testing.AllocsPerRun(3, func() { s.RunTimed(elapsed) }))
}
