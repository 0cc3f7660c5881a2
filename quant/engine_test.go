package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/engine"
)

// The engine must give the reference's bytes, logits and features alike.
func TestEngineEqualsReference(t *testing.T) {
	for seed := range uint64(30) {
		g := randomGraph(t, seed)
		q, _, err := Quantise(t.Context(), g, sequence(pixels(g.Input(), 8, seed)), input, Defaults())
		require.NoError(t, err)
		program, err := engine.Compile(q)
		require.NoError(t, err)
		session := program.NewSession()
		r, err := NewReference(q)
		require.NoError(t, err)
		in := inputTensor(input, newStats(3))
		for _, image := range pixels(g.Input(), 4, 50+seed) {
			x := in.quantise(image)
			want, err := r.Run(x)
			require.NoError(t, err)
			copy(session.Input(), x)
			got := session.Run()
			assert.Equal(t, bits(want), bits(got), "seed %d", seed)
			assert.Equal(t, bits(r.Features()), bits(session.Features()), "seed %d", seed)
		}
	}
}

func bits(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}
