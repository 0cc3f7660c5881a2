package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestYCbCrTiles holds the registered kernels to the portable loops, with operands
// that end and that begin at forbidden pages.
func TestYCbCrTiles(t *testing.T) {
	for _, tile := range ycbcrTiles {
		t.Run(tile.isa.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(4, 25))
			g := newGuards(t)
			for n := 1; n < 150; n++ {
				for l := range chromaLayouts {
					for _, m := range matrices {
						for range 2 {
							g.atStart = !g.atStart
							k := newYCbCrTask(r, tile.isa, l, m, n, g.bytes)
							got := g.bytes(3 * n)
							k.row.Run(got, k.y, k.cb, k.cr)
							require.Equal(t, k.want, got, "%d pixels, layout %d", n, l)
							require.True(t, g.untouched(got), "wrote outside: %d pixels, layout %d", n, l)
							convertRow(got, l, &m, k.y, k.cb, k.cr)
							require.Equal(t, k.want, got, "portable: %d pixels, layout %d", n, l)
							g.release()
						}
					}
				}
			}
		})
	}
}
