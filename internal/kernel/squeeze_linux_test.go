package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSqueezeTiles holds the registered kernels to the portable ones, with
// operands that end and that begin at forbidden pages.
func TestSqueezeTiles(t *testing.T) {
	for _, tile := range squeezeTiles {
		t.Run(tile.isa.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(1, 7))
			g := newGuards(t)
			least := squeezeChannels
			if tile.masked {
				least = 1
			}
			for channels := least; channels < 3*squeezeChannels+3; channels++ {
				for _, pixels := range []int{1, 2, 49, 255, 256, 700, 4000} {
					g.atStart = !g.atStart
					s := randomSqueezeExcite(r, channels, 4, pixels)
					src := randomInt8(r, pixels*channels, 128)
					switch r.IntN(3) { // sums of s16 at their limits
					case 0:
						fillInt8(src, -128)
					case 1:
						fillInt8(src, 127)
					}
					want, got := make([]int32, channels), guarded[int32](g, channels)
					Sums(want, src, s.InZero)
					w := NewWorkspace(WorkspaceSize{})
					summer := Summer{&tile, s.InZero, tile.isa.Flip()}
					held := guardedCopy(g, flipped(src, tile.isa))
					summer.Run(got, held, w)
					require.Equal(t, want, got, "sums, %d channels, %d pixels", channels, pixels)
					require.True(t, intact(g, got))

					p := PackSqueezeExcite(tile.isa, s)
					p.tile = &tile
					p.inZero, p.outZero = guardedCopy(g, p.inZero), guardedCopy(g, p.outZero)
					gate := guardedCopy(g, s.ScaleM)
					scaled, dst := make([]int8, len(src)), guarded[int8](g, len(src))
					rescale(scaled, src, s.InZero, s.OutZero, gate, 0)
					p.Rescale(dst, held, gate, w)
					require.Equal(t, scaled, flipped(dst, tile.isa), "rescale, %d channels, %d pixels", channels, pixels)
					require.True(t, intact(g, dst))
					checkMiddle(t, g, p, s, src, w)
					g.release()
				}
			}
		})
	}
}

// checkMiddle holds what comes between sums and rescaling to the portable code.
func checkMiddle(t *testing.T, g *guards, p *SqueezeExcitation, s SqueezeExcite, src []int8, w *Workspace) {
	channels := len(s.ScaleM)
	portable := PackSqueezeExcite(Generic, s)
	sum, float := make([]int32, channels), make([]float32, channels)
	addRows(sum, src, 0)
	for c := range float {
		float[c] = s.SqueezeM[c] * 20000 * float32(c%7-2)
	}
	own := *p
	own.SqueezeM, own.ScaleM, own.Sigmoid = guardedCopy(g, s.SqueezeM), guardedCopy(g, s.ScaleM), s.Sigmoid

	want, got := make([]int16, channels), guarded[int16](g, channels)
	held := guardedCopy(g, sum)
	portable.squeezed(want, sum, len(src)/channels, w)
	own.squeezed(got, held, len(src)/channels, w)
	require.Equal(t, want, got, "squeeze, %d channels", channels)
	require.True(t, intact(g, got))

	portable.innerRounded(want, float, w)
	own.innerRounded(got, guardedCopy(g, float), w)
	require.Equal(t, want, got, "inner, %d channels", channels)
	require.True(t, intact(g, got))

	gate, gates := make([]float32, channels), guarded[float32](g, channels)
	for c := range float {
		float[c] = float32(c%13)/6 - 1
	}
	portable.gated(gate, float, 0, channels, w)
	float = guardedCopy(g, float)
	own.gated(gates, float, 0, channels/2, w)
	own.gated(gates, float, channels/2, channels, w)
	require.Equal(t, gate, gates, "gate, %d channels", channels)
	require.True(t, intact(g, gates))
}

func fillInt8(s []int8, v int8) {
	for i := range s {
		s[i] = v
	}
}

// TestWideTiles does the same with layers of int16 inputs.
func TestWideTiles(t *testing.T) {
	for _, tile := range wideTiles {
		t.Run(tile.String(), func(t *testing.T) {
			if !supported(tile.isa) {
				t.Skipf("this CPU has %v", ISAs())
			}
			r := rand.New(rand.NewPCG(1, 8))
			g := newGuards(t)
			least := tile.cols
			if tile.masked {
				least = 1
			}
			for n := least; n < 3*tile.cols+2; n++ {
				for _, k := range []int{1, 2, 3, 4, 7, 24, 33, 120, 960} {
					g.atStart = !g.atStart
					p := randomProduct(r, 1, k, n, Identity, false)
					m := &GEMM{K: k, N: n, mode: modeFloat, epilogue: &p.epilogue}
					m.pack([]gemmTile{tile}, p.weight, p.bias)
					w := m.confine(g)
					padded := make([]int16, m.padded)
					for i := range padded {
						padded[i] = int16(r.IntN(2*maxInner+1) - maxInner)
						if i%3 == 0 {
							padded[i] = maxInner
						}
					}
					x := guardedCopy(g, padded)
					acc, want, got := make([]int32, n), make([]float32, n), guarded[float32](g, n)
					wideProduct(acc, p.weight, p.bias, x[:k])
					Scale(want, acc, p.epilogue.Multiplier)
					m.wide(got, x, 0, m.Panels(), w)
					require.Equal(t, want, got, "n %d, k %d", n, k)
					require.True(t, intact(g, got))
					g.release()
				}
			}
		})
	}
}
