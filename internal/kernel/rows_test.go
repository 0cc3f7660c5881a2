package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// parts calls f for ranges that make up 0 to n.
func parts(r *rand.Rand, n int, f func(from, to int)) {
	for from := 0; from < n; {
		to := from + 1 + r.IntN(n-from)
		f(from, to)
		from = to
	}
}

// TestDepthwiseRows: rows computed in parts are those of the whole, from a ring
// that holds no more of the input than a part needs, and their sums add up.
func TestDepthwiseRows(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 3))
	for _, isa := range ISAs() {
		for range 60 {
			f := randomFilter(r, 2+r.IntN(4), 1+r.IntN(200), HardSwish)
			g := &f.g
			whole := PackDepthwiseConv(isa, f.g, f.weight, f.bias, f.zero, &f.e)
			row := g.OutW * g.OutC
			got, sums := make([]int8, g.OutH*row), make([]int32, g.OutC)
			w, src := NewWorkspace(whole.Needs()), flipped(f.src, isa)
			parts(r, g.OutH, func(from, to int) {
				whole.Rows(got[from*row:to*row], src, nil, from, to, sums, w)
			})
			want, total := f.want(), make([]int32, g.OutC)
			require.Equal(t, want, flipped(got, isa), "%s %+v", isa, f.g)
			addRows(total, want, 0)
			require.Equal(t, total, sums, "%s %+v", isa, f.g)

			clear(got)
			parts(r, whole.Parts(), func(from, to int) { whole.RunParts(got, src, nil, from, to, w) })
			require.Equal(t, want, flipped(got, isa), "%s %+v", isa, f.g)

			g.Ring = (g.KernelH-1)*g.DilationH + 1 + r.IntN(3)
			ringed := PackDepthwiseConv(isa, *g, f.weight, f.bias, f.zero, &f.e)
			ring := make([]int8, min(g.Ring, g.InH)*g.InW*g.InC)
			clear(got)
			next := 0
			for y := range g.OutH {
				end := min(y*g.StrideH-g.Top+(g.KernelH-1)*g.DilationH+1, g.InH)
				for ; next < end; next++ {
					copy(ring[next%g.Ring*g.InW*g.InC:], src[next*g.InW*g.InC:][:g.InW*g.InC])
				}
				ringed.Rows(got[y*row:], ring, nil, y, y+1, nil, w)
			}
			require.Equal(t, want, flipped(got, isa), "%s %+v", isa, f.g)
		}
	}
}

// TestConvRows does the same with dense and grouped convolutions.
func TestConvRows(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 3))
	for _, isa := range ISAs() {
		for range 60 {
			g := randomFilter(r, 1+r.IntN(4), 4, Identity).g
			g.OutC, g.Groups = 1+r.IntN(40), 1
			if r.IntN(3) == 0 {
				g.OutC, g.Groups = 6, 2
			}
			p := randomProduct(r, g.OutH*g.OutW, g.PatchLen(), g.OutC, Identity, true)
			src, zero := randomInt8(r, g.InH*g.InW*g.InC, 128), randomInt8(r, g.InC, 128)
			reference := PackGroupedConv(Generic, g, p.weight, p.bias, zero, &p.epilogue)
			want := make([]int8, g.OutH*g.OutW*g.OutC)
			reference.Rows(want, src, p.residual, 0, g.OutH, make([]int8, reference.PatchBytes()), NewWorkspace(reference.Needs()))

			var conv interface {
				Needs() WorkspaceSize
				PatchBytes() int
				Rows(dst, src, residual []int8, from, to int, patches []int8, w *Workspace)
			} = PackGroupedConv(isa, g, p.weight, p.bias, zero, &p.epilogue)
			if g.Groups == 1 {
				conv = PackDenseConv(isa, g, p.weight, p.bias, zero, &p.epilogue)
			}
			row := g.OutW * g.OutC
			got, residual, held := make([]int8, len(want)), flipped(p.residual, isa), flipped(src, isa)
			w, patches := NewWorkspace(conv.Needs()), make([]int8, conv.PatchBytes())
			parts(r, g.OutH, func(from, to int) {
				conv.Rows(got[from*row:to*row], held, residual[from*row:], from, to, patches, w)
			})
			require.Equal(t, want, flipped(got, isa), "%s %+v", isa, g)
		}
	}
}

// TestGEMMRows: any rows can be computed by themselves.
func TestGEMMRows(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 3))
	for _, isa := range ISAs() {
		for _, f := range []Activation{Identity, HardSwish} { // one has no kernel but the portable
			p := randomProduct(r, 60, 33, 50, f, true)
			m := PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
			got, src, residual := make([]int8, p.rows*p.n), flipped(p.src, isa), flipped(p.residual, isa)
			w, least := NewWorkspace(m.Needs()), m.MinRows()
			require.GreaterOrEqual(t, 10, least)
			parts(r, p.rows/10, func(from, to int) {
				from, to = from*10, to*10
				m.Run(got[from*p.n:], src[from*p.k:], residual[from*p.n:], to-from, w)
				m.Run(got[from*p.n:], src[from*p.k:], residual[from*p.n:], least, w)
			})
			require.Equal(t, p.want(), flipped(got, isa), isa.String())
		}
	}
}
