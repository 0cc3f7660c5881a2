package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDepthwiseTiles holds every registered kernel that this CPU can run to the
// portable one, over odd geometries, with operands that end and that begin at
// forbidden pages.
func TestDepthwiseTiles(t *testing.T) {
	for _, tile := range depthwiseTiles {
		t.Run(tile.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(17, uint64(tile.size)))
			g := newGuards(t)
			check := func(f *filter) {
				g.atStart = !g.atStart
				d := newDepthwiseConv(tile.isa, f.g, f.zero, &f.e)
				d.tile = &tile
				require.True(t, tile.fits(&f.g, &f.e))
				d.pack(f.weight, f.bias)
				d.w, d.p, d.pad = guardedCopy(g, d.w), guardedCopy(g, d.p), guardedCopy(g, d.pad)
				w := &Workspace{Bytes: guarded[int8](g, d.Needs().Bytes)}
				src, dst := guardedCopy(g, flipped(f.src, tile.isa)), guarded[int8](g, f.g.OutH*f.g.OutW*f.g.OutC)
				d.Run(dst, src, nil, w)
				require.Equal(t, f.want(), flipped(dst, tile.isa), "%+v, activation %d", f.g, f.e.Activation)
				require.True(t, intact(g, dst), "wrote outside of the output: %+v", f.g)
				g.release()
			}
			for extra := range 2*tile.channels + 2 {
				for f := Identity; f <= HardSwish; f++ {
					check(randomFilter(r, tile.size, tile.channels+extra, f))
				}
			}
			wide := Geometry{
				InH: 2, InW: 3000, InC: tile.channels + 1, OutH: 2, OutW: 3000, OutC: tile.channels + 1, KernelH: tile.size, KernelW: tile.size,
				StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Top: tile.size / 2, Left: tile.size / 2, Groups: tile.channels + 1,
			}
			check(newFilter(r, wide, HardSwish)) // several calls for a row
			many := wide
			many.InW, many.OutW, many.InC, many.OutC, many.Groups = 3, 3, 30001, 30001, 30001
			check(newFilter(r, many, ReLU6)) // several calls for a pixel
		})
	}
}
