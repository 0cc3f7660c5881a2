package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDenseConv holds dense convolutions of every instruction set to the
// portable one, over odd geometries, with operands that end and that begin at
// forbidden pages.
func TestDenseConv(t *testing.T) {
	for _, isa := range ISAs() {
		t.Run(isa.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(27, uint64(isa)))
			g := newGuards(t)
			bands, pairs := map[bool]int{}, 0
			for range 300 {
				size := 1 + r.IntN(5)
				f := randomFilter(r, size, 1+r.IntN(9), Identity)
				geo := f.g
				geo.OutC, geo.Groups, geo.KernelW = 1+r.IntN(40), 1, 1+r.IntN(size)
				geo.OutW = (geo.InW+geo.Left+size-1-(geo.KernelW-1)*geo.DilationW-1)/geo.StrideW + 1
				if geo.OutW < 1 {
					continue
				}
				end := ends[r.IntN(len(ends))]
				p := randomProduct(r, geo.OutH*geo.OutW, geo.PatchLen(), geo.OutC, end.f, end.residual)
				want := make([]int8, geo.OutH*geo.OutW*geo.OutC)
				Conv(want, f.src, p.residual, f.zero, &geo, []*Matrix{PackMatrix(p.weight, p.bias, p.n, p.k)}, &p.epilogue,
					make([]int32, TileRows*p.n), make([]int8, TileRows*p.k))

				g.atStart = !g.atStart
				c := PackDenseConv(isa, geo, p.weight, p.bias, f.zero, &p.epilogue)
				w := c.confine(g)
				if c.pad != nil {
					c.pad = guardedCopy(g, c.pad)
				}
				n := c.Needs()
				w.Acc = make([]int32, n.Acc)
				if n.Bytes > 0 {
					w.Bytes = guarded[int8](g, n.Bytes)
				}
				var residual []int8
				if p.residual != nil {
					residual = guardedCopy(g, flipped(p.residual, isa))
				}
				src, patches, dst := guardedCopy(g, flipped(f.src, isa)), make([]int8, c.PatchBytes()), guarded[int8](g, len(want))
				c.Rows(dst, src, residual, 0, geo.OutH, patches, w)
				require.Equal(t, want, flipped(dst, isa), "%+v, %s", geo, end.name)
				require.True(t, intact(g, dst), "wrote outside of the output: %+v", geo)
				require.Zero(t, testing.AllocsPerRun(1, func() { c.Rows(dst, src, residual, 0, geo.OutH, patches, w) }))
				bands[c.pad != nil]++
				if c.geometry.OutC > geo.OutC {
					pairs++
				}
				g.release()
			}
			if isa != Generic {
				require.Greater(t, bands[true], 30, "no convolution took the rows as they are")
				require.Greater(t, bands[false], 30)
			}
			if isa == VNNI {
				require.Greater(t, pairs, 10, "no two outputs were made one")
			}
		})
	}
}
