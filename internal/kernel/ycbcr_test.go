package kernel

import (
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ycbcrTask is a row to convert and what must come out.
type ycbcrTask struct {
	row       YCbCrRow
	y, cb, cr []byte
	want      []byte
}

func newYCbCrTask(r *rand.Rand, isa ISA, l ChromaLayout, m YCbCr, n int, alloc func(int) []byte) *ycbcrTask {
	k := &ycbcrTask{}
	k.row.Set(isa, l, m)
	half := (n + 1) / 2
	size := [chromaLayouts][3]int{ChromaFull: {n, n, n}, ChromaHalf: {n, half, half}, NV12: {n, 2 * half, 0}, YUYV: {4 * half, 0, 0}}[l]
	k.y, k.cb, k.cr = alloc(size[0]), alloc(size[1]), alloc(size[2])
	luma, blue, red := make([]byte, n), make([]byte, n), make([]byte, n)
	for _, b := range [][]byte{k.y, k.cb, k.cr} {
		for i := range b {
			b[i] = byte(r.Uint32())
			if r.IntN(3) == 0 { // extremes
				b[i] = []byte{0, 255, 128, 16, 235, 240}[r.IntN(6)]
			}
		}
	}
	for i := range n {
		switch l {
		case ChromaFull:
			luma[i], blue[i], red[i] = k.y[i], k.cb[i], k.cr[i]
		case ChromaHalf:
			luma[i], blue[i], red[i] = k.y[i], k.cb[i/2], k.cr[i/2]
		case NV12:
			luma[i], blue[i], red[i] = k.y[i], k.cb[i/2*2], k.cb[i/2*2+1]
		case YUYV:
			luma[i], blue[i], red[i] = k.y[2*i], k.y[i/2*4+1], k.y[i/2*4+3]
		}
		r, g, b := m.RGB(luma[i], blue[i], red[i])
		k.want = append(k.want, r, g, b)
	}
	return k
}

var matrices = []YCbCr{FullRange, LimitedRange}

func heapBytes(n int) []byte { return make([]byte, n) }

// TestYCbCrRGB: JFIF's colours are those of package color, and the limited
// range's those of BT.601, for all there are.
func TestYCbCrRGB(t *testing.T) {
	level := func(v float64) float64 { return min(max(v, 0), 255) }
	worst := 0.0
	for y := range 256 {
		for u := range 256 {
			for v := range 256 {
				r, g, b := FullRange.RGB(byte(y), byte(u), byte(v))
				wr, wg, wb := color.YCbCrToRGB(byte(y), byte(u), byte(v))
				if r != wr || g != wg || b != wb {
					t.Fatalf("%d %d %d: got %d %d %d, want %d %d %d", y, u, v, r, g, b, wr, wg, wb)
				}
				if (y^u^v)&7 != 0 {
					continue
				}
				r, g, b = LimitedRange.RGB(byte(y), byte(u), byte(v))
				l, pb, pr := 255*float64(y-16)/219, 255*float64(u-128)/224, 255*float64(v-128)/224
				worst = max(worst, math.Abs(float64(r)-level(l+1.402*pr)),
					math.Abs(float64(g)-level(l-0.344136*pb-0.714136*pr)), math.Abs(float64(b)-level(l+1.772*pb)))
			}
		}
	}
	assert.Less(t, worst, 0.51)
	r, g, b := LimitedRange.RGB(16, 128, 128)
	assert.Equal(t, [3]byte{}, [3]byte{r, g, b}, "black")
	r, g, b = LimitedRange.RGB(235, 128, 128)
	assert.Equal(t, [3]byte{255, 255, 255}, [3]byte{r, g, b}, "white")
}

// TestYCbCrRow: every instruction set gives the portable bytes, for rows below a
// block, of odd lengths and beyond a call.
func TestYCbCrRow(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 22))
	for _, isa := range ISAs() {
		for l := range chromaLayouts {
			for _, n := range []int{0, 1, 2, 15, 16, 17, 18, 31, 640, ycbcrPixels, ycbcrPixels + 1, ycbcrPixels + 3, 2*ycbcrPixels + 19} {
				for _, m := range matrices {
					k := newYCbCrTask(r, isa, l, m, n, heapBytes)
					got := make([]byte, 3*n)
					k.row.Run(got, k.y, k.cb, k.cr)
					require.True(t, slices.Equal(k.want, got), "%v layout %d, %d pixels", isa, l, n)
					assert.Equal(t, isa == Generic, k.row.ISA() == Generic)
				}
			}
		}
	}
}

func TestYCbCrUnderGC(t *testing.T) {
	underGC(t, 6, func(r *rand.Rand) bool {
		isas := ISAs()
		n := 1 + r.IntN(200)
		k := newYCbCrTask(r, isas[r.IntN(len(isas))], ChromaLayout(r.IntN(int(chromaLayouts))), matrices[r.IntN(2)], n, heapBytes)
		got := make([]byte, 3*n)
		k.row.Run(got, k.y, k.cb, k.cr)
		return slices.Equal(k.want, got)
	})
}

func TestYCbCrDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 23))
	for _, isa := range ISAs() {
		for l := range chromaLayouts {
			k := newYCbCrTask(r, isa, l, LimitedRange, 101, heapBytes)
			got := make([]byte, 303)
			assert.Zero(t, testing.AllocsPerRun(5, func() { k.row.Run(got, k.y, k.cb, k.cr) }), isa.String())
		}
	}
}
