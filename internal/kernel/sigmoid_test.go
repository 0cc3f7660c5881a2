package kernel

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSigmoid(t *testing.T) {
	digest := crc32.NewIEEE()
	last := float32(0)
	var worst float64
	for i := -100_000; i <= 100_000; i++ {
		v := float32(i) / 1000
		got := Sigmoid(v)
		require.GreaterOrEqual(t, got, last, "not monotone at %g", v)
		last = got
		worst = max(worst, math.Abs(float64(got)-1/(1+math.Exp(-float64(v)))))
		require.NoError(t, binary.Write(digest, binary.LittleEndian, got))
	}
	t.Logf("largest error %.3g", worst)
	assert.Less(t, worst, 1e-7)
	assert.Equal(t, uint32(0xcc530831), digest.Sum32(), "the bytes must be the same on every CPU")
}

func TestSigmoidEnds(t *testing.T) {
	inf := float32(math.Inf(1))
	assert.Equal(t, float32(0.5), Sigmoid(0))
	for _, v := range []float32{32, 1e10, math.MaxFloat32, inf} {
		assert.Equal(t, float32(1), Sigmoid(v), "%g", v)
		assert.Less(t, Sigmoid(-v), float32(1e-12), "%g", -v)
	}
	assert.Equal(t, float32(0), Sigmoid(-inf))
	assert.Equal(t, float32(0), Sigmoid(float32(math.NaN())))
	for exp := -149; exp < 128; exp++ {
		for _, v := range []float64{math.Ldexp(1.37, exp), -math.Ldexp(1.37, exp)} {
			s := Sigmoid(float32(v))
			assert.True(t, s >= 0 && s <= 1, "Sigmoid(%g) = %g", v, s)
			assert.InDelta(t, 1/(1+math.Exp(-v)), s, 1e-7, "%g", v)
		}
	}
}
