package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRound(t *testing.T) {
	check := func(x float32) {
		for _, x := range []float32{x, -x, math.Nextafter32(x, 0), math.Nextafter32(x, 1e30)} {
			require.Equal(t, int32(math.RoundToEven(float64(x))), round(x), "%g", x)
		}
	}
	for i := range 2000 { // every half and whole number around int8's range
		check(float32(i) / 2)
	}
	for exp := -149; exp <= 30; exp++ {
		for _, f := range []float64{1, 1.25, 1.5, 1.75, 1.9999999} {
			if x := float32(math.Ldexp(f, exp)); x < 1<<30 {
				check(x)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		if x := math.Float32frombits(r.Uint32()); x > -1<<30 && x < 1<<30 {
			check(x)
		}
	}
}

func TestSaturate(t *testing.T) {
	for v, want := range map[int32]int8{
		-1 << 31: -128, -129: -128, -128: -128, -127: -127, 0: 0, 126: 126, 127: 127, 128: 127, 1<<31 - 1: 127,
	} {
		assert.Equal(t, want, saturate(v), "%d", v)
	}
}
