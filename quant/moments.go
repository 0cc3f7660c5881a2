package quant

import (
	"math"

	blasgonum "gonum.org/v1/gonum/blas/gonum"
)

// chunk is how many samples are multiplied at once: a sum of so many products of
// two int8 is exact in float32.
const chunk = 1 << 24 / (128 * 128)

// moments are means and covariances of what a group of a layer's outputs reads
// on the quantised path, in int8 steps, and of the float path's outputs with it.
type moments struct {
	n      float64
	mean   []float64 // [K]
	target []float64 // [O], means
	cov    []float64 // [K][K]
	cross  []float64 // [O][K]: of output o, in real units, with input k
	energy float64   // of the outputs: the sum of their variances
}

// sums adds up a group's samples: a moments whose members are still sums of
// products. columns are the places in a row that the group reads, in the order of
// its weights; targets are the float path's outputs, of which outputs
// first to first+o belong to the group.
func sums(rows [][]int8, columns []int, targets [][]float32, firstOut, o, workers int) *moments {
	k, n := len(columns), len(rows)
	m := &moments{n: float64(n), mean: make([]float64, k), target: make([]float64, o), cov: make([]float64, k*k), cross: make([]float64, o*k)}
	size := min(chunk, max(n, 1))
	x, y := make([]float32, k*size), make([]float32, o*size)
	var dot blasgonum.Implementation
	for first := 0; first < n; first += chunk {
		c := min(chunk, n-first)
		for i, row := range rows[first : first+c] {
			for j, at := range columns {
				x[j*size+i] = float32(row[at])
				m.mean[j] += float64(row[at])
			}
			for j, v := range targets[first+i][firstOut : firstOut+o] {
				y[j*size+i] = v
				m.target[j] += float64(v)
				m.energy += float64(v) * float64(v)
			}
		}
		const block = 32
		each((k+block-1)/block, workers, func(b int) {
			j0, j1 := b*block, min((b+1)*block, k)
			for i := j0; i < k; i++ {
				for j := j0; j < min(j1, i+1); j++ {
					m.cov[i*k+j] += float64(dot.Sdot(c, x[i*size:], 1, x[j*size:], 1))
				}
			}
			for i := range o {
				for j := j0; j < j1; j++ {
					m.cross[i*k+j] += float64(dot.Sdot(c, y[i*size:], 1, x[j*size:], 1))
				}
			}
		})
	}
	return m
}

// plus adds sums to sums.
func (m *moments) plus(o *moments) *moments {
	add := func(a, b []float64) []float64 {
		c := make([]float64, len(a))
		for i := range c {
			c[i] = a[i] + b[i]
		}
		return c
	}
	return &moments{m.n + o.n, add(m.mean, o.mean), add(m.target, o.target), add(m.cov, o.cov), add(m.cross, o.cross), m.energy + o.energy}
}

// centre turns sums into means and covariances.
func (m *moments) centre() *moments {
	k, n := len(m.mean), m.n
	for j := range m.mean {
		m.mean[j] /= n
	}
	m.energy /= n
	for i := range m.target {
		m.target[i] /= n
		m.energy -= m.target[i] * m.target[i]
	}
	for i := range k {
		for j := range i + 1 {
			v := m.cov[i*k+j]/n - m.mean[i]*m.mean[j]
			m.cov[i*k+j], m.cov[j*k+i] = v, v
		}
	}
	for i, t := range m.target {
		row := m.cross[i*k : (i+1)*k]
		for j := range row {
			row[j] = row[j]/n - t*m.mean[j]
		}
	}
	return m
}

// damped returns the covariance with ridge times its mean diagonal added.
func (m *moments) damped(ridge float64) []float64 {
	k := len(m.mean)
	a := append([]float64(nil), m.cov...)
	trace := 0.0
	for i := range k {
		trace += a[i*k+i]
	}
	add := math.Max(ridge*trace/float64(k), 1e-6)
	for i := range k {
		a[i*k+i] += add
	}
	return a
}

// spread is the mean square, summed over rows, of what a change of weights
// [rows][K] does to the outputs.
func (m *moments) spread(change []float64) float64 {
	k := len(m.mean)
	d := make([]float64, len(change))
	linear.Dgemm(noTrans, noTrans, len(change)/k, k, k, 1, change, k, m.cov, k, 0, d, k)
	sum := 0.0
	for i, v := range d {
		sum += v * change[i]
	}
	return sum
}

// residue is the mean square, summed over outputs, of what weights [O][K] in real
// units per step leave of the targets.
func (m *moments) residue(weight []float64) float64 {
	sum := m.energy + m.spread(weight)
	for i, w := range weight {
		sum -= 2 * w * m.cross[i]
	}
	return sum
}
