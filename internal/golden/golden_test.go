package golden

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The first values are those of train/goldens_float.py:
// values("features.0.0.weight", 4, seed=20190506).
func TestValuesAreThoseOfPython(t *testing.T) {
	assert.Equal(t, []float32{-0.6800509691238403, 0.7005926370620728, 0.6122690439224243, 0.5131305456161499}, Values(20190506, "features.0.0.weight", 4))
	assert.Equal(t, []int{481, 803, 504, 845}, Indices(20190506, "features.0.0.weight", 4, 1000))
}

func TestValuesSpread(t *testing.T) {
	v := Values(1, "x", 10000)
	var sum, squares float64
	for _, x := range v {
		assert.True(t, x >= -1 && x < 1)
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	assert.InDelta(t, 0, sum/10000, 0.02)
	assert.InDelta(t, 1./3, squares/10000, 0.02)
	assert.NotEqual(t, v, Values(2, "x", 10000))
	assert.NotEqual(t, v, Values(1, "y", 10000))
}

func TestCompare(t *testing.T) {
	nan := float32(math.NaN())
	assert.Equal(t, Distance{}, Compare([]float32{1, 2}, []float32{1, 2}))
	assert.Equal(t, Distance{L2: 0.2, Max: 0.25}, Compare([]float32{4, 4}, []float32{3, 4}))
	assert.True(t, Compare([]float32{3.0001, 4}, []float32{3, 4}).Within(1e-4))
	assert.False(t, Compare([]float32{3.001, 4}, []float32{3, 4}).Within(1e-4))
	assert.False(t, Compare([]float32{nan, 4}, []float32{3, 4}).Within(1e-4))
	assert.False(t, Compare([]float32{3, 4}, []float32{nan, 4}).Within(1e-4))
	assert.False(t, Compare([]float32{1}, []float32{0}).Within(1e-4))
}

func TestFromCHW(t *testing.T) {
	assert.Equal(t, []float32{1, 4, 2, 5, 3, 6}, FromCHW([]float32{1, 2, 3, 4, 5, 6}, 2))
}
