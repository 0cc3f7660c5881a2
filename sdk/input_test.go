package sdk

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// lossless is the input tensor of docs/arithmetic.md, section 6.
func lossless(s preprocess.Spec) nn.QTensor {
	var t nn.QTensor
	for c := range 3 {
		t.Scale = append(t.Scale, float32(1/(255*float64(s.Std[c]))))
		t.Zero = append(t.Zero, int8(math.RoundToEven(255*float64(s.Mean[c]))-128))
	}
	return t
}

func TestInputTakesPixelsWithoutRounding(t *testing.T) {
	for _, name := range preprocess.Presets() {
		s, err := preprocess.Preset(name, 32, 32)
		require.NoError(t, err)
		table := inputTable(s, lossless(s))
		for c := range table {
			for v := range table[c] {
				require.Equal(t, int8(v-128), table[c][v], "%s, channel %d, level %d", name, c, v)
			}
		}
	}
}

// A mean of one half lies between two levels, where rounding each level by
// itself would send neighbours to the same value.
func TestInputOfAnotherScale(t *testing.T) {
	s, err := preprocess.Preset("half", 32, 32)
	require.NoError(t, err)
	in := lossless(s)
	in.Zero[1]++                    // not the nearest zero point any more
	in.Scale[2] = float32(2 / 100.) // 100 steps from black to white
	in.Zero[2] = 100
	table := inputTable(s, in)
	var off int
	for v := range 256 {
		assert.Equal(t, int8(v-128), table[0][v])
		exact := float64(v) - 127.5 + float64(in.Zero[1])
		assert.LessOrEqual(t, math.Abs(min(exact, 127)-float64(table[1][v])), 0.5)
		if int(table[1][v]) != min(v-127, 127) {
			off++
		}
	}
	assert.Positive(t, off, "this mean tells the two formulas apart")
	assert.Equal(t, int8(50), table[2][0])
	assert.Equal(t, int8(127), table[2][255])
	in.Zero[2] = -110
	table = inputTable(s, in)
	assert.Equal(t, int8(-128), table[2][0])
	assert.Equal(t, int8(-60), table[2][255])
}
