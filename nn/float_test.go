package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/golden"
)

func TestFloatRunsAResidual(t *testing.T) {
	f, err := NewFloat(residual(t))
	require.NoError(t, err)
	image := make([]float32, 32)
	for i := range image {
		image[i] = float32(i % 2) // channel 0 is 0, channel 1 is 1
	}
	// conv: 1, 3; norm (factor 1): 1, 4; add: 1, 5; fc: 1 - 5 + 0.5
	out, err := f.Run(image)
	require.NoError(t, err)
	assert.Equal(t, []float32{-3.5}, out)
	assert.Equal(t, []float32{1, 5}, f.Output(4).Data)
	assert.Equal(t, image, f.Output(0).Data)
	image[0] = 99
	assert.Zero(t, f.Output(0).Data[0], "the image is copied")
}

func TestFloatRefusesAnotherImage(t *testing.T) {
	f, err := NewFloat(residual(t))
	require.NoError(t, err)
	for _, n := range []int{0, 31, 33} {
		_, err = f.Run(make([]float32, n))
		assert.ErrorContains(t, err, "want 32 (4x4x2)")
	}
}

// every is a graph with one of each operation, and every path of Conv2D.
func every(t testing.TB) *Graph {
	g := NewGraph(Shape{9, 8, 3})
	at := g.Add("stem", &Conv2D{Window: Window{In: 3, Out: 8, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Groups: 1, Padding: Padding{0, 0, 1, 1}}}, 0)
	from := g.Add("bn", &BatchNorm{C: 8, Eps: 1e-3}, at)
	at = g.Add("expand", &Conv2D{Window: window(8, 16, 1), HasBias: true}, from)
	at = g.Add("act", &Activation{Func: HardSwish}, at)
	at = g.Add("depthwise", &Conv2D{Window: Window{In: 16, Out: 16, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 2, Groups: 16, Padding: Pad(2)}}, at)
	at = g.Add("se", &SqueezeExcite{C: 16, Squeezed: 8, Inner: ReLU, Gate: HardSigmoid}, at)
	at = g.Add("project", &Conv2D{Window: window(16, 8, 1)}, at)
	at = g.Add("add", &Add{}, at, from)
	g.Features = g.Add("pool", &GlobalAvgPool{}, at)
	at = g.Add("fc", &Linear{In: 8, Out: 5}, g.Features)
	g.Add("softmax", &Softmax{}, at)
	require.NoError(t, g.Err())
	for _, n := range g.Nodes[1:] {
		for _, p := range n.Op.Params() {
			*p.Data = golden.Values(1, n.Name+p.Name, p.Len())
			for i, v := range *p.Data {
				if p.Variance {
					(*p.Data)[i] = v*v + 0.5
				}
			}
		}
	}
	return g
}

func TestFloatAllocatesNothing(t *testing.T) {
	g := every(t)
	f, err := NewFloat(g)
	require.NoError(t, err)
	image := golden.Values(1, "image", g.Input().Len())
	_, err = f.Run(image)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		if _, err := f.Run(image); err != nil {
			t.Error(err)
		}
	}))
}

// TestFloatLeavesNothingBehind: a run depends on its image alone.
func TestFloatLeavesNothingBehind(t *testing.T) {
	g := every(t)
	f, err := NewFloat(g)
	require.NoError(t, err)
	a, b := golden.Values(1, "a", g.Input().Len()), golden.Values(1, "b", g.Input().Len())
	out, err := f.Run(a)
	require.NoError(t, err)
	first := append([]float32(nil), out...)
	out, err = f.Run(b)
	require.NoError(t, err)
	assert.NotEqual(t, first, out)
	out, err = f.Run(a)
	require.NoError(t, err)
	assert.Equal(t, first, out)
}
