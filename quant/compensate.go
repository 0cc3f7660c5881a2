package quant

import (
	"math"

	"gonum.org/v1/gonum/blas"
)

// dampings are what the compensated rounding chooses from, from the most careful
// on.
var dampings = []float64{1, 0.1, 0.01}

// carrier returns U, upper triangular with H^-1 = U' U, for H the damped
// covariance; nil where H cannot be factorised. Error-compensated rounding
// (Frantar et al. 2022, GPTQ) walks through a row of weights and lets those not
// rounded yet take up the error e of weight k:
//
//	w[j] -= e / U[k,k] * U[k,j]    for j > k
//
// With the rows and columns of H in reverse order, R R' = H has R upper
// triangular, and U = R^-1.
func (m *moments) carrier(damping float64) []float64 {
	k := len(m.mean)
	a := m.damped(damping)
	reverse(a)
	if !lapack.Dpotrf(blas.Lower, k, a, k) {
		return nil
	}
	reverse(a) // R, upper triangular
	if !lapack.Dtrtri(blas.Upper, blas.NonUnit, k, a, k) {
		return nil
	}
	return a
}

// reverse turns a square matrix by 180 degrees.
func reverse(a []float64) {
	for i, j := 0, len(a)-1; i < j; i, j = i+1, j-1 {
		a[i], a[j] = a[j], a[i]
	}
}

// compensate rounds a row of weights, in steps of 1, with the error carried on.
func compensate(w []float64, u []float64, q []int8) {
	k := len(w)
	w = append([]float64(nil), w...)
	for i := range w {
		r := math.Min(math.Max(math.RoundToEven(w[i]), -127), 127)
		q[i] = int8(r)
		e := (w[i] - r) / u[i*k+i]
		linear.Daxpy(k-i, -e, u[i*k+i:], 1, w[i:], 1)
	}
}

// change is what rounding changes in rows of weights, with the carrier u, nil for
// rounding to nearest, in units of the weights.
func change(weight []float64, k int, u []float64, workers int) []float64 {
	d := make([]float64, len(weight))
	each(len(weight)/k, workers, func(o int) {
		w, to := weight[o*k:(o+1)*k], d[o*k:(o+1)*k]
		top := 0.0
		for _, v := range w {
			top = math.Max(top, math.Abs(v))
		}
		s := top / 127
		if s == 0 {
			return
		}
		for i, v := range w {
			to[i] = v / s
		}
		q := make([]int8, k)
		if u == nil {
			nearest(o, to, q)
		} else {
			compensate(to, u, q)
		}
		for i, v := range w {
			to[i] = float64(q[i])*s - v
		}
	})
	return d
}

// chooseCarrier chooses the damping with the least error on the half of the
// images whose covariance the rounding did not know, both ways; nil where rounding
// to nearest does better than all of them.
func chooseCarrier(all *moments, halves [2]*moments, weight []float64, workers int) []float64 {
	k := len(all.mean)
	plain := change(weight, k, nil, workers)
	least := halves[0].spread(plain) + halves[1].spread(plain)
	best := 0.0
	for _, damping := range dampings {
		sum := 0.0
		for i, m := range halves {
			u := m.carrier(damping)
			if u == nil {
				sum = math.Inf(1)
				break
			}
			sum += halves[1-i].spread(change(weight, k, u, workers))
		}
		if !(sum < least) {
			break
		}
		best, least = damping, sum
	}
	if best == 0 {
		return nil
	}
	return all.carrier(best)
}
