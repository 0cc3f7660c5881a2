package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHold holds what tensors become to Flip, for every length up to some
// registers and beyond one call, between forbidden pages.
func TestHold(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	lengths := []int{flipBytes, flipBytes + 1, 2*flipBytes + 77}
	for n := range 200 {
		lengths = append(lengths, n)
	}
	for _, isa := range ISAs() {
		g := newGuards(t)
		for _, n := range lengths {
			g.atStart = !g.atStart
			from := randomInt8(r, n, 128)
			tensor, w := []int8{}, &Workspace{}
			if n > 0 {
				tensor = guardedCopy(g, from)
			}
			Hold(isa, tensor, w)
			require.Equal(t, flipped(from, isa), tensor, "%s, %d bytes", isa, n)
			if n > 0 {
				require.True(t, intact(g, tensor), "wrote outside: %s, %d bytes", isa, n)
			}
			require.Zero(t, testing.AllocsPerRun(1, func() { Hold(isa, tensor, w) }))
			g.release()
		}
	}
}
