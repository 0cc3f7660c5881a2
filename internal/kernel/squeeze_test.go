package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func randomSqueezeExcite(r *rand.Rand, channels, squeezed, pixels int) SqueezeExcite {
	floats := func(n int, most float32) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = most * (r.Float32() - 0.2)
		}
		return v
	}
	biases := func(n int) []int32 {
		v := make([]int32, n)
		for i := range v {
			v[i] = r.Int32N(2_000_001) - 1_000_000
		}
		return v
	}
	return SqueezeExcite{
		SqueezeM: floats(channels, 400/float32(pixels)), Reduce: randomInt8(r, channels*squeezed, 127), ReduceBias: biases(squeezed),
		ReduceM: floats(squeezed, 0.01), Expand: randomInt8(r, channels*squeezed, 127), ExpandBias: biases(channels),
		ExpandM: floats(channels, 1e-6), Sigmoid: r.IntN(2) == 0, ScaleM: floats(channels, 2),
		InZero: randomInt8(r, channels, 128), OutZero: randomInt8(r, channels, 128),
	}
}

func (s *SqueezeExcite) buffers() *SqueezeBuffers {
	n := pad(max(len(s.ScaleM), len(s.ReduceBias)), WideStep)
	b := &SqueezeBuffers{Sum: make([]int32, n), Squeeze: make([]int16, n), Inner: make([]int16, n), Float: make([]float32, n), Gate: make([]float32, n)}
	for i := range n { // what earlier layers may leave
		b.Squeeze[i], b.Inner[i] = 0x7b7b, 0x7b7b
	}
	return b
}

// TestSqueezeExcitation: every instruction set gives the portable bytes.
func TestSqueezeExcitation(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for _, isa := range ISAs() {
		for _, c := range []struct{ channels, squeezed, pixels int }{
			{16, 16, 1}, {72, 24, 50}, {121, 33, 49}, {5, 3, 20}, {40, 7, 3}, {17, 8, 600}, {33, 19, 5000}, {960, 240, 49},
		} {
			s := randomSqueezeExcite(r, c.channels, c.squeezed, c.pixels)
			src := randomInt8(r, c.channels*c.pixels, 128)
			want, got := make([]int8, len(src)), make([]int8, len(src))
			s.Run(want, src, s.buffers())
			p := PackSqueezeExcite(isa, s)
			w := NewWorkspace(WorkspaceSize{})
			src = flipped(src, isa)
			p.Run(got, src, p.buffers(), w)
			require.Equal(t, want, flipped(got, isa), "%s %+v", isa, c)
			if isa != Generic && c.squeezed >= 16 {
				assert.NotEqual(t, Generic, p.ISA(), "%s %+v", isa, c)
			}
			b := p.buffers()
			assert.Zero(t, testing.AllocsPerRun(3, func() { p.Run(got, src, b, w) }), isa.String())
		}
	}
}

func TestSqueezeExcitationUnderGC(t *testing.T) {
	type task struct {
		s         *SqueezeExcitation
		src, want []int8
	}
	r := rand.New(rand.NewPCG(6, 4))
	var tasks []task
	for _, isa := range ISAs() {
		s := randomSqueezeExcite(r, 72, 24, 50)
		k := task{PackSqueezeExcite(isa, s), randomInt8(r, 72*50, 128), make([]int8, 72*50)}
		s.Run(k.want, k.src, s.buffers())
		k.src, k.want = flipped(k.src, isa), flipped(k.want, isa)
		tasks = append(tasks, k)
	}
	underGC(t, 6, func(r *rand.Rand) bool {
		k := tasks[r.IntN(len(tasks))]
		dst := make([]int8, len(k.want))
		k.s.Run(dst, k.src, k.s.buffers(), NewWorkspace(WorkspaceSize{}))
		return slices.Equal(k.want, dst)
	})
}
