package nn

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPaperFormulas: section 5.2 of the MobileNetV3 paper.
func TestPaperFormulas(t *testing.T) {
	relu6 := func(x float64) float64 { return math.Min(math.Max(x, 0), 6) }
	for x := -10.0; x <= 10; x += 0.01 {
		v := float32(x)
		x := float64(v)
		assert.InDelta(t, relu6(x+3)/6, HardSigmoid.Apply(v), 1e-6)
		assert.InDelta(t, x*relu6(x+3)/6, HardSwish.Apply(v), 2e-6)
		assert.Equal(t, float32(relu6(x)), ReLU6.Apply(v))
		assert.Equal(t, float32(math.Max(x, 0)), ReLU.Apply(v))
		assert.Equal(t, v, Identity.Apply(v))
		assert.InDelta(t, 1/(1+math.Exp(-x)), Sigmoid.Apply(v), 1e-7)
	}
	for f, want := range map[Func][2]float32{ // at -3 and 3 exactly
		HardSigmoid: {0, 1}, HardSwish: {0, 3}, ReLU: {0, 3}, ReLU6: {0, 3}, Identity: {-3, 3},
	} {
		assert.Equal(t, want, [2]float32{f.Apply(-3), f.Apply(3)}, f.String())
	}
	assert.NotEqual(t, float32(0.2*1+0.5), HardSigmoid.Apply(1), "Keras's old hard-sigmoid is another function")
}

func TestFuncText(t *testing.T) {
	seen := map[string]bool{}
	for f := range Func(len(funcNames)) {
		text, err := json.Marshal(f)
		require.NoError(t, err)
		seen[string(text)] = true
		var back Func
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, f, back)
		assert.Equal(t, `"`+f.String()+`"`, string(text))
	}
	assert.Len(t, seen, len(funcNames))

	f := HardSwish
	for _, text := range []string{"", "swish", "HardSwish", "relu ", "Func(7)"} {
		err := f.UnmarshalText([]byte(text))
		assert.ErrorContains(t, err, "unknown activation function")
		assert.ErrorContains(t, err, "hard_swish", "the message lists what there is")
	}
	assert.Equal(t, HardSwish, f, "left as it was")
	for _, f := range []Func{-1, Func(len(funcNames))} {
		_, err := f.MarshalText()
		assert.Error(t, err)
		assert.Contains(t, f.String(), "Func(")
	}
}
