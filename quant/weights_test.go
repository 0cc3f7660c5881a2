package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// Whatever the weights are, rows must stay within half a step of them where no
// scale was widened, and the accumulator must fit an int32 for every input.
func TestQuantiseRows(t *testing.T) {
	r := newRand(1)
	for range 300 {
		taps, n := 1+r.IntN(40), 1+r.IntN(5)
		w, b := make([]float64, n*taps), make([]float64, n)
		size := math.Exp(20 * r.NormFloat64())
		for i := range w {
			w[i] = r.NormFloat64() * size
		}
		for i := range b {
			b[i] = r.NormFloat64() * math.Exp(20*r.NormFloat64())
		}
		zero := func(o, k int) int64 { return int64((o*7+k*13)%256 - 128) }
		most := []int64{128, nn.MaxSqueeze}[r.IntN(2)]
		rows, err := quantiseRows(w, b, taps, zero, most, nearest)
		require.NoError(t, err)
		for o := range n {
			sum := math.Abs(float64(rows.bias[o]))
			var offset float64
			for k := range taps {
				q := float64(rows.weight[o*taps+k])
				assert.LessOrEqual(t, math.Abs(q), 127.0)
				assert.LessOrEqual(t, math.Abs(q*rows.scale[o]-w[o*taps+k]), rows.scale[o]*0.500001)
				sum += math.Abs(q) * float64(most)
				offset += q * float64(zero(o, k))
			}
			assert.LessOrEqual(t, sum, float64(math.MaxInt32))
			assert.InDelta(t, b[o]/rows.scale[o], float64(rows.bias[o])+offset, 0.51)
		}
	}
}

func TestQuantiseRowsDeadChannel(t *testing.T) {
	rows, err := quantiseRows(make([]float64, 4), make([]float64, 1), 4, func(int, int) int64 { return -128 }, 128, nearest)
	require.NoError(t, err)
	assert.Equal(t, []int32{0}, rows.bias)
	assert.Equal(t, []float64{1}, rows.scale)
}

func TestQuantiseRowsNamesNaN(t *testing.T) {
	_, err := quantiseRows([]float64{1, 2, 3, math.NaN()}, make([]float64, 2), 2, func(int, int) int64 { return 0 }, 128, nearest)
	require.ErrorContains(t, err, "weight 1 of output channel 1 is NaN")
}
