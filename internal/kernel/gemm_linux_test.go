package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// confine moves everything that the kernel touches between guards.
func (m *GEMM) confine(g *guards) *Workspace {
	for i := range m.panels {
		p := &m.panels[i]
		p.b, p.p = guardedCopy(g, p.b), guardedCopy(g, p.p)
	}
	w := &Workspace{}
	if n := m.Needs(); n.Bytes > 0 {
		w.Bytes = guarded[int8](g, n.Bytes)
	}
	return w
}

// TestGEMM holds every registered kernel that this CPU can run to the portable
// one, over odd sizes, with operands that end and that begin at forbidden pages.
func TestGEMM(t *testing.T) {
	for _, tile := range gemmTiles {
		t.Run(tile.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(7, uint64(tile.rows*100+tile.cols)))
			g := newGuards(t)
			count := 0
			check := func(rows, k, n, end int) {
				p := randomProduct(r, rows, k, n, ends[end].f, ends[end].residual)
				m := p.packFor(tile, false)
				if m == nil {
					return
				}
				g.atStart = !g.atStart
				w := m.confine(g)
				dst, src, residual := guarded[int8](g, rows*n), guardedCopy(g, flipped(p.src, tile.isa)), []int8(nil)
				if p.residual != nil {
					residual = guardedCopy(g, flipped(p.residual, tile.isa))
				}
				m.Run(dst, src, residual, rows, w)
				require.Equal(t, p.want(), flipped(dst, tile.isa), "%d rows, k %d, n %d, %s", rows, k, n, ends[end].name)
				require.True(t, intact(g, dst), "wrote outside of the output: %d rows, k %d, n %d, %s", rows, k, n, ends[end].name)
				if m := p.packFor(tile, true); m != nil {
					w := m.confine(g)
					dst := guarded[float32](g, n)
					m.Logits(dst, src[:k], w)
					require.Equal(t, p.wantLogits(), dst, "logits, k %d, n %d", k, n)
					require.True(t, intact(g, dst))
				}
				g.release()
				count++
			}
			for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 27, 31, 32, 40, 65, 72, 130} {
				for _, n := range []int{1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 24, 33, 40, 49, 64, 65, 72, 130} {
					check(1+r.IntN(2*tile.rows+3), k, n, r.IntN(len(ends)))
				}
			}
			for rows := 1; rows <= 3*tile.rows+1; rows++ {
				for end := range ends {
					check(rows, 1+r.IntN(40), tile.cols+r.IntN(tile.cols), end)
				}
			}
			check(1500, 64, tile.cols+1, 2) // several blocks
			check(201, 960, tile.cols, 4)   // several calls
			check(9, 4000, tile.cols, 3)
			require.Greater(t, count, 50)
		})
	}
}
