package quant

import (
	"math"

	"gonum.org/v1/gonum/blas"
)

// ridges are what the least-squares fit chooses from, from the most careful on.
var ridges = []float64{3, 1, 0.3, 0.1, 0.03}

// leastSquares refits a group's weights to what it reads on the quantised path:
//
//	W += (Y - W X) X' (X X' + ridge * mean(diag(X X')) I)^-1
//
// where X are the inputs there and Y the outputs of the float path, both around
// their means. The ridge keeps the weights near the trained ones where the
// images say little. weight is [O][K] in real units per int8 step. It returns the
// new weights, or nil if the system cannot be solved.
func (m *moments) leastSquares(weight []float64, ridge float64) []float64 {
	k := len(m.mean)
	a := m.damped(ridge)
	if !lapack.Dpotrf(blas.Lower, k, a, k) {
		return nil
	}
	o := len(m.target)
	d := append([]float64(nil), m.cross...)
	linear.Dgemm(noTrans, noTrans, o, k, k, -1, weight, k, m.cov, k, 1, d, k)
	linear.Dtrsm(blas.Right, blas.Lower, blas.Trans, blas.NonUnit, o, k, 1, a, k, d, k)
	linear.Dtrsm(blas.Right, blas.Lower, blas.NoTrans, blas.NonUnit, o, k, 1, a, k, d, k)
	for i, v := range weight {
		d[i] += v
	}
	return d
}

// refit chooses the ridge that does best on the half of the images that the fit
// has not seen, both ways, and returns the fit on all of them; nil where no fit
// does better there than the weights as they are.
func refit(all *moments, halves [2]*moments, weight []float64) []float64 {
	best, least := 0.0, halves[0].residue(weight)+halves[1].residue(weight)
	for _, ridge := range ridges {
		sum := 0.0
		for i, m := range halves {
			w := m.leastSquares(weight, ridge)
			if w == nil {
				sum = math.Inf(1)
				break
			}
			sum += halves[1-i].residue(w)
		}
		if !(sum < least) {
			break // a smaller one would fit the images still closer
		}
		best, least = ridge, sum
	}
	if best == 0 {
		return nil
	}
	w := all.leastSquares(weight, best)
	for _, v := range w {
		if v-v != 0 {
			return nil
		}
	}
	return w
}

// intercepts are the biases that go with fitted weights: the means of the targets
// less those of the products.
func (m *moments) intercepts(weight, bias []float64, zero func(k int) float64) {
	k := len(m.mean)
	for o := range bias {
		bias[o] = m.target[o]
		for i, w := range weight[o*k : (o+1)*k] {
			bias[o] -= w * (m.mean[i] - zero(i))
		}
	}
}
