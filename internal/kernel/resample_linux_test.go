package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestResampleTiles holds the registered kernels to the portable loops, with
// operands that end and that begin at forbidden pages.
func TestResampleTiles(t *testing.T) {
	for _, tile := range resampleTiles {
		t.Run(tile.isa.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(1, 25))
			g := newGuards(t)
			step := 1
			if testing.Short() {
				step = 5
			}
			for outputs := 1; outputs < 70; outputs += step {
				for _, most := range []int{1, 2, 3, 4, 5, 8, 13} {
					for _, from := range layouts {
						g.atStart = !g.atStart
						k := newResampleTask(r, tile.isa, outputs, most, most, from, g.bytes)
						// Exactly what may be read, and not a byte more.
						k.a, k.b = g.bytes(k.resize.Reach()), g.bytes(k.resize.Reach())
						randomBytes(r, k.a)
						randomBytes(r, k.b)
						resizeRow(k.c, k.a, k.resize.lo, &k.resize.taps, from)
						resizeRow(k.d, k.b, k.resize.lo, &k.resize.taps, from)
						room := k.resize.Room()
						c, d, mixed := g.bytes(room), g.bytes(room), g.bytes(3*outputs)
						require.Empty(t, k.wrong(c, d, mixed), "%d outputs, %d taps, %+v", outputs, most, from)
						for _, b := range [][]byte{c, d, mixed} {
							require.True(t, g.untouched(b))
						}
						g.release()
					}
				}
			}
		})
	}
}
