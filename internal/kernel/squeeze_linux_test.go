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
					g.release()
				}
			}
		})
	}
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
			for n := tile.cols; n < 3*tile.cols+2; n++ {
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
					m.wide(got, x, w)
					require.Equal(t, want, got, "n %d, k %d", n, k)
					require.True(t, intact(g, got))
					g.release()
				}
			}
		})
	}
}
