package preprocess

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/kernel"
)

func noise(seed uint64, w, h int) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(rng.Uint32())
		if rng.IntN(4) == 0 { // extremes, where the cubic overshoots
			m.Pix[i] = byte(255 * rng.IntN(2))
		}
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

// naive resizes one axis of a w x h RGB image to n pixels with one plain loop per
// output: every tap, no ring, no windows.
func naive(in []byte, w, h, n int, horizontal bool, f filter) []byte {
	size, others := h, w
	if horizontal {
		size, others = w, h
	}
	index := func(along, across, size, c int) int {
		if horizontal {
			return 3*(across*size+along) + c
		}
		return 3*(along*others+across) + c
	}
	out := make([]byte, 3*n*others)
	scale := float64(size) / float64(n)
	stretch := max(scale, 1)
	for i := range n {
		centre := float64((float64(i) + 0.5) * scale)
		first := max(int(centre-f.support*stretch+0.5), 0)
		last := min(int(centre+f.support*stretch+0.5), size)
		var weights []float64
		var sum float64
		for k := first; k < last; k++ {
			w := f.at((float64(k) - centre + 0.5) * (1 / stretch))
			weights = append(weights, w)
			sum += w
		}
		for o := range others {
			for c := range 3 {
				acc := int64(1 << 21)
				for k, w := range weights {
					acc += int64(fixed(w/sum)) * int64(in[index(first+k, o, size, c)])
				}
				require32(acc)
				out[index(i, o, n, c)] = byte(min(max(acc>>22, 0), 255))
			}
		}
	}
	return out
}

// require32 panics if a sum would not fit the resampler's accumulators.
func require32(v int64) {
	if v != int64(int32(v)) {
		panic("sum beyond 32 bits")
	}
}

func TestResampleEqualsPlainLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	side := func() int { return 1 + rng.IntN(60)*rng.IntN(3)/2 }
	for range 800 {
		w, h, dw, dh := side(), side(), side(), side()
		f, err := filterNamed([]string{Bilinear, Bicubic}[rng.IntN(2)])
		require.NoError(t, err)
		img := noise(rng.Uint64(), w, h)
		want := naive(naive(rgbOf(img), w, h, dw, true, f), dw, h, dh, false, f)

		win := window{x0: rng.IntN(dw), y0: rng.IntN(dh)}
		win.x1, win.y1 = win.x0+1+rng.IntN(dw-win.x0), win.y0+1+rng.IntN(dh-win.y0)
		var s source
		require.NoError(t, s.set(img))
		isas := kernel.ISAs()
		r := resampler{isa: isas[rng.IntN(len(isas))]}
		r.set(w, h, dw, dh, win, f)
		n := 3 * win.width()
		got := make([]byte, n*(win.y1-win.y0))
		r.run(got, n, &s)
		for y := win.y0; y < win.y1; y++ {
			require.Equal(t, want[3*(y*dw+win.x0):][:n], got[(y-win.y0)*n:][:n],
				"%dx%d to %dx%d, window %v, support %v, row %d", w, h, dw, dh, win, f.support, y)
		}
	}
}

// The ring holds y.most rows and one more, which is only enough if the rows that successive
// outputs need never step back; trimming must not break that.
func TestTapsNeverStepBack(t *testing.T) {
	for _, name := range []string{Bilinear, Bicubic} {
		f, err := filterNamed(name)
		require.NoError(t, err)
		var tp taps
		for in := 1; in <= 40; in++ {
			for out := 1; out <= 90; out++ {
				tp.set(in, out, 0, out, f)
				for i := range out {
					first, end := tp.first[i], tp.first[i]+tp.count[i]
					if first < 0 || end <= first || int(end) > in || tp.count[i] > int32(tp.most) {
						t.Fatalf("%s %d to %d: output %d is made of %d to %d", name, in, out, i, first, end)
					}
					if i > 0 && (first < tp.first[i-1] || end < tp.first[i-1]+tp.count[i-1]) {
						t.Fatalf("%s %d to %d: output %d steps back", name, in, out, i)
					}
				}
			}
		}
	}
}

func TestCentreRoundsAsPython(t *testing.T) {
	for _, c := range []struct{ n, crop, from, to, at int }{
		{10, 10, 0, 10, 0},
		{11, 10, 0, 10, 0}, // round(0.5) = 0
		{13, 10, 2, 12, 0}, // round(1.5) = 2
		{15, 10, 2, 12, 0}, // round(2.5) = 2
		{17, 10, 4, 14, 0}, // round(3.5) = 4
		{14, 10, 2, 12, 0},
		{7, 10, 0, 7, 1},
		{6, 10, 0, 6, 2},
		{1, 10, 0, 1, 4},
	} {
		from, to, at := centre(c.n, c.crop)
		require.Equal(t, []int{c.from, c.to, c.at}, []int{from, to, at}, "%d to %d", c.n, c.crop)
	}
}
