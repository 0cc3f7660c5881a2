package kernel

// A 64-bit multiplication does three multiply-accumulates here. Three weights
// share a word, w0 + w1<<21 + w2<<42, and x times the word is the three
// products in the same places. Sums of words are the words of the sums for as
// long as every one of the three sums fits 21 bits with sign; a carry out of a
// negative sum into its neighbour is undone when the word is split. So a row of
// weights is cut into runs, each as long as sum |w| * 128 < 2^20 holds: that
// covers any input, and at typical weights a run is a few hundred long.
const (
	laneBits = 21
	lanes    = 3
	maxRun   = (1<<(laneBits-1) - 1) / 128 // largest sum of |w| in a run
)

// panelWidth is the number of outputs computed together: two words.
const panelWidth = 2 * lanes

// Matrix is a weight matrix with its bias, packed for Accumulate.
type Matrix struct {
	K, N  int        // inputs, outputs
	words [][2]int64 // [ceil(N/6)][K], weights of 6 outputs; zero beyond N
	bias  []int32    // [N], zero up to a multiple of 6
	runs  []int      // ends of the runs of each panel, one panel after the other, each list ending in K
}

// PackMatrix packs weight [n][k] and bias [n]. The arrays are not kept.
func PackMatrix(weight []int8, bias []int32, n, k int) *Matrix {
	panels := (n + panelWidth - 1) / panelWidth
	m := &Matrix{K: k, N: n, words: make([][2]int64, panels*k), bias: make([]int32, panels*panelWidth)}
	copy(m.bias, bias)
	for p := range panels {
		first := p * panelWidth
		width := min(panelWidth, n-first)
		var sum [panelWidth]int
		for i := range k {
			full := false
			for o := range width {
				w := int(weight[(first+o)*k+i])
				m.words[p*k+i][o/lanes] += int64(w) << (o % lanes * laneBits)
				sum[o] += max(w, -w)
				full = full || sum[o] > maxRun
			}
			if full {
				m.runs = append(m.runs, i)
				for o := range width {
					w := int(weight[(first+o)*k+i])
					sum[o] = max(w, -w)
				}
			}
		}
		m.runs = append(m.runs, k)
	}
	return m
}

// Bytes is the size of the packed weights.
func (m *Matrix) Bytes() int { return 16*len(m.words) + 4*len(m.bias) }

// Accumulate is equation 2 for several rows of inputs:
//
//	acc[r*accStride+o] = bias[o] + sum_k weight[o][k] * src[r*srcStride+k]
//
// for r below rows and o below N. Every sum must fit an int32.
func (m *Matrix) Accumulate(acc []int32, accStride int, src []int8, srcStride, rows int) {
	runs := m.runs
	for first := 0; first < m.N; first += panelWidth {
		words := m.words[first/panelWidth*m.K:][:m.K]
		bias := (*[panelWidth]int32)(m.bias[first:])
		length := 1
		for runs[length-1] < m.K {
			length++
		}
		r := 0
		for ; r+2 <= rows; r += 2 {
			x0, x1 := src[r*srcStride:][:m.K], src[(r+1)*srcStride:][:m.K]
			t0, t1 := *bias, *bias
			from := 0
			for _, to := range runs[:length] {
				a, b, c, d := dot2(x0[from:to], x1[from:to], words[from:to])
				addLanes(&t0, a, b)
				addLanes(&t1, c, d)
				from = to
			}
			storePanel(acc[r*accStride+first:], &t0, m.N-first)
			storePanel(acc[(r+1)*accStride+first:], &t1, m.N-first)
		}
		if r < rows {
			x0 := src[r*srcStride:][:m.K]
			t0 := *bias
			from := 0
			for _, to := range runs[:length] {
				a, b := dot1(x0[from:to], words[from:to])
				addLanes(&t0, a, b)
				from = to
			}
			storePanel(acc[r*accStride+first:], &t0, m.N-first)
		}
		runs = runs[length:]
	}
}

// dot2 multiplies two rows by two words of weights. Inlined, its loop would not
// have the registers for itself.
//
//go:noinline
func dot2(x0, x1 []int8, words [][2]int64) (a, b, c, d int64) {
	x1, words = x1[:len(x0)], words[:len(x0)]
	for k, v := range x0 {
		w := &words[k]
		w0, w1 := w[0], w[1]
		x, y := int64(v), int64(x1[k])
		a += x * w0
		b += x * w1
		c += y * w0
		d += y * w1
	}
	return a, b, c, d
}

// dot1 multiplies one row by two words of weights.
//
//go:noinline
func dot1(x0 []int8, words [][2]int64) (a, b int64) {
	words = words[:len(x0)]
	for k, v := range x0 {
		w := &words[k]
		x := int64(v)
		a += x * w[0]
		b += x * w[1]
	}
	return a, b
}

// addLanes splits two words of sums and adds them to a panel's accumulators.
func addLanes(t *[panelWidth]int32, a, b int64) {
	s0, s1, s2 := split(a)
	t[0] += s0
	t[1] += s1
	t[2] += s2
	s0, s1, s2 = split(b)
	t[3] += s0
	t[4] += s1
	t[5] += s2
}

func split(a int64) (s0, s1, s2 int32) {
	const up = 64 - laneBits
	l0 := a << up >> up
	a = (a - l0) >> laneBits
	l1 := a << up >> up
	return int32(l0), int32(l1), int32((a - l1) >> laneBits)
}

func storePanel(acc []int32, t *[panelWidth]int32, n int) {
	if n >= panelWidth {
		*(*[panelWidth]int32)(acc) = *t
		return
	}
	copy(acc[:n], t[:])
}
