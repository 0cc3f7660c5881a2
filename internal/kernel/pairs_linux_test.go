package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPairs holds products of few columns, two rows of which are made one, to
// the portable kernel, over odd sizes, with operands that end and that begin at
// forbidden pages.
func TestPairs(t *testing.T) {
	for _, isa := range ISAs() {
		t.Run(isa.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(37, uint64(isa)))
			g := newGuards(t)
			count := 0
			for n := 1; n <= 9; n++ {
				for rows := 1; rows <= 40; rows++ {
					end := ends[r.IntN(len(ends))]
					p := randomProduct(r, rows, 1+r.IntN(40), n, end.f, end.residual)
					m := PackGEMM(isa, rows, p.weight, p.bias, n, p.k, &p.epilogue)
					if m.pairs == nil {
						continue
					}
					count++
					require.GreaterOrEqual(t, rows, m.MinRows())
					g.atStart = !g.atStart
					w := m.pairs.confine(g)
					dst, src, residual := guarded[int8](g, rows*n), guardedCopy(g, flipped(p.src, isa)), []int8(nil)
					if p.residual != nil {
						residual = guardedCopy(g, flipped(p.residual, isa))
					}
					m.Run(dst, src, residual, rows, w)
					require.Equal(t, p.want(), flipped(dst, isa), "%d rows, k %d, n %d, %s", rows, p.k, n, end.name)
					require.True(t, intact(g, dst), "wrote outside of the output: %d rows, k %d, n %d, %s", rows, p.k, n, end.name)
					require.Zero(t, testing.AllocsPerRun(1, func() { m.Run(dst, src, residual, rows, w) }))
					g.release()
				}
			}
			if isa == VNNI {
				require.Equal(t, 8*39, count, "all but products of one row and of nine columns")
			}
		})
	}
}
