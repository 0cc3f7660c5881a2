package kernel

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseISA(t *testing.T) {
	have := ISAs()
	require.Equal(t, Generic, have[0])
	t.Logf("this CPU has %v", have)
	for i, isa := range have {
		got, err := ParseISA(isa.String())
		require.NoError(t, err)
		assert.Equal(t, isa, got)
		if i > 0 {
			assert.Greater(t, isa, have[i-1], "a level includes those before it")
		}
	}
	best, err := ParseISA("")
	require.NoError(t, err)
	assert.Equal(t, have[len(have)-1], best)

	for _, name := range []string{"neon", "avx2"} { // of two architectures: one is missing on any machine
		if _, err := ParseISA(name); err != nil {
			require.ErrorIs(t, err, ErrISA)
			assert.ErrorContains(t, err, "does not have \""+name+"\", it has generic")
		}
	}
	_, err = ParseISA("AVX2 ")
	require.ErrorIs(t, err, ErrISA)
	assert.ErrorContains(t, err, "\"AVX2 \" is none, this CPU has generic")
}
