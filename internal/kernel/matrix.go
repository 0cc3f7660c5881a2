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

// Outputs are computed a panel at a time: four words for as long as there are
// outputs, two for what is left if that is enough.
const (
	wideWords   = 4
	narrowWords = 2
	panelWidth  = wideWords * lanes
	narrowWidth = narrowWords * lanes
)

// Matrix is a weight matrix with its bias, packed for Accumulate.
type Matrix struct {
	K, N   int // inputs, outputs
	wide   [][wideWords]int64
	narrow [][narrowWords]int64 // [K] of the last panel, if it is narrow
	bias   []int32              // [N], zero up to a multiple of panelWidth
	runs   []int                // ends of the runs of each panel, one panel after the other, each list ending in K
}

// PackMatrix packs weight [n][k] and bias [n]. The arrays are not kept.
func PackMatrix(weight []int8, bias []int32, n, k int) *Matrix {
	panels := (n + panelWidth - 1) / panelWidth
	m := &Matrix{K: k, N: n, bias: make([]int32, panels*panelWidth)}
	copy(m.bias, bias)
	wide := panels
	if n-(panels-1)*panelWidth <= narrowWidth {
		wide--
		m.narrow = make([][narrowWords]int64, k)
	}
	m.wide = make([][wideWords]int64, wide*k)
	for p := range panels {
		first := p * panelWidth
		width := min(panelWidth, n-first)
		var sum [panelWidth]int // of |w| in the run so far
		for i := range k {
			full := false
			for o := range width {
				w := int(weight[(first+o)*k+i])
				if p < wide {
					m.wide[p*k+i][o/lanes] += int64(w) << (o % lanes * laneBits)
				} else {
					m.narrow[i][o/lanes] += int64(w) << (o % lanes * laneBits)
				}
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
func (m *Matrix) Bytes() int {
	return 8*wideWords*len(m.wide) + 8*narrowWords*len(m.narrow) + 4*len(m.bias)
}

// Accumulate is equation 2 for several rows of inputs:
//
//	acc[r*accStride+o] = bias[o] + sum_k weight[o][k] * src[r*srcStride+k]
//
// for r below rows and o below N. Every sum must fit an int32.
func (m *Matrix) Accumulate(acc []int32, accStride int, src []int8, srcStride, rows int) {
	runs := m.runs
	for first := 0; first < m.N; first += panelWidth {
		length := 1
		for runs[length-1] < m.K {
			length++
		}
		bias := (*[panelWidth]int32)(m.bias[first:])
		at := first / panelWidth * m.K
		for r := range rows {
			x := src[r*srcStride:][:m.K]
			t := *bias
			from := 0
			for _, to := range runs[:length] {
				if at < len(m.wide) {
					a, b, c, d := dot4(x[from:to], m.wide[at+from:at+to])
					addLanes((*[narrowWidth]int32)(t[:]), a, b)
					addLanes((*[narrowWidth]int32)(t[narrowWidth:]), c, d)
				} else {
					a, b := dot2(x[from:to], m.narrow[from:to])
					addLanes((*[narrowWidth]int32)(t[:]), a, b)
				}
				from = to
			}
			row := acc[r*accStride+first:]
			if m.N-first >= panelWidth {
				*(*[panelWidth]int32)(row) = t
			} else {
				copy(row[:m.N-first], t[:])
			}
		}
		runs = runs[length:]
	}
}

// dot4 is the sum of x times each of four words. Inlined, its loop would not
// have the registers for itself.
//
//go:noinline
func dot4(x []int8, words [][wideWords]int64) (a, b, c, d int64) {
	words = words[:len(x)]
	for k, v := range x {
		w := &words[k]
		x := int64(v)
		a += x * w[0]
		b += x * w[1]
		c += x * w[2]
		d += x * w[3]
	}
	return a, b, c, d
}

// dot2 is the sum of x times each of two words.
//
//go:noinline
func dot2(x []int8, words [][narrowWords]int64) (a, b int64) {
	words = words[:len(x)]
	for k, v := range x {
		w := &words[k]
		x := int64(v)
		a += x * w[0]
		b += x * w[1]
	}
	return a, b
}

// addLanes splits two words of sums and adds them to accumulators.
func addLanes(t *[narrowWidth]int32, a, b int64) {
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
