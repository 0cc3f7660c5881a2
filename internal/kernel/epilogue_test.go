package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClampUnit(t *testing.T) {
	check := func(v float32) {
		want := float32(math.Min(math.Max(float64(v), 0), 1))
		require.Equal(t, math.Float32bits(want), math.Float32bits(clampUnit(v)), "%g", v)
	}
	inf := float32(math.Inf(1))
	for _, v := range []float32{0, float32(math.Copysign(0, -1)), 1e-45, 0.5, 1, 2, math.MaxFloat32, inf} {
		for _, v := range []float32{v, -v, math.Nextafter32(v, 0), math.Nextafter32(v, inf)} {
			check(v)
		}
	}
	r := rand.New(rand.NewPCG(2, 2))
	for range 100_000 {
		if v := math.Float32frombits(r.Uint32()); v == v {
			check(v)
		}
	}
}

// TestEpilogueHalves rounds values that lie half-way, by each activation, to
// the even neighbour.
func TestEpilogueHalves(t *testing.T) {
	acc := []int32{-5, -3, -1, 1, 3, 5, 7}
	half := []float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}
	zero := []int8{1, 1, 1, 1, 1, 1, 1} // odd: added after the rounding, not before
	one := []float32{1, 1, 1, 1, 1, 1, 1}
	got := make([]int8, len(acc))

	e := NewEpilogue(Identity, half, one, zero)
	e.Apply(got, acc, nil)
	assert.Equal(t, []int8{-1, -1, 1, 1, 3, 3, 5}, got)

	e = NewEpilogue(ReLU6, half, []float32{1, 1, 1, 4, 4, 4, 4}, zero) // 6/4 = 1.5 rounds to 2
	e.Apply(got, acc, nil)
	assert.Equal(t, []int8{-1, -1, 1, 1, 3, 3, 3}, got)

	e = NewEpilogue(HardSwish, half, []float32{6, 6, 6, 6, 6, 6, 6}, zero) // gain 1: u * clamp(u + 0.5)
	e.Apply(got, acc, nil)
	assert.Equal(t, []int8{1, 1, 1, 1, 3, 3, 5}, got)

	e = NewEpilogue(Identity, half, one, zero)
	e.ResidualM, e.ResidualZero = half, zero
	e.Apply(got, acc, []int8{2, 2, 2, 2, 2, 2, 3}) // adds 0.5, and 1 in the last place
	assert.Equal(t, []int8{-1, 0, 1, 2, 3, 4, 5}, got)
}
