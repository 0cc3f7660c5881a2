package quant

import (
	"fmt"
	"math"
)

// maxAccumulator bounds an accumulator, with room for the bias correction.
const maxAccumulator = math.MaxInt32 - 1<<26

// rows quantises the weights of a layer, a row per output channel.
//
//	w[o,k] = rne(W[o,k] / s[o]),  s[o] = max_k |W[o,k]| / 127
//	b[o]   = rne(B[o] / s[o]) - sum_k w[o,k] * z[k]
//
// W already contains the input's scales. Where the accumulator could leave an
// int32 for some input of magnitude up to most, or where a large bias meets
// tiny weights, the row's scale is widened until it fits.
type rows struct {
	weight []int8
	bias   []int32
	scale  []float64 // [o]: real = scale * accumulator
	bound  []float64 // [o]: the accumulator's largest magnitude
}

// rounder rounds a row of weights, already in steps, into q.
type rounder func(o int, w []float64, q []int8)

// nearest rounds every weight by itself.
func nearest(_ int, w []float64, q []int8) {
	for k, v := range w {
		q[k] = int8(math.RoundToEven(math.Min(math.Max(v, -127), 127)))
	}
}

func quantiseRows(weight, bias []float64, taps int, zero func(o, k int) int64, most int64, round rounder) (rows, error) {
	n := len(bias)
	r := rows{weight: make([]int8, n*taps), bias: make([]int32, n), scale: make([]float64, n), bound: make([]float64, n)}
	steps := make([]float64, taps)
	for o := range n {
		w, q := weight[o*taps:(o+1)*taps], r.weight[o*taps:(o+1)*taps]
		top := 0.0
		for k, v := range w {
			if v-v != 0 {
				return r, fmt.Errorf("weight %d of output channel %d is %g", k, o, v)
			}
			top = math.Max(top, math.Abs(v))
		}
		s := math.Max(top/127, math.Abs(bias[o])/(maxAccumulator/8))
		if s < 1e-30 {
			s = 1 // a dead channel: all weights and the bias are zero
		}
		for {
			for k, v := range w {
				steps[k] = v / s
			}
			round(o, steps, q)
			var sum, offset int64
			for k, v := range q {
				i := int64(v)
				sum += max(i, -i)
				offset += i * zero(o, k)
			}
			b := int64(math.RoundToEven(bias[o]/s)) - offset
			bound := float64(sum*most + max(b, -b))
			if bound <= maxAccumulator {
				r.bias[o], r.scale[o], r.bound[o] = int32(b), s, bound
				break
			}
			s *= math.Max(1.01, bound/maxAccumulator)
		}
	}
	return r, nil
}

// correct moves the bias of row o by a real number. Where the accumulator could
// then leave an int32 the row stays as it is.
func (r rows) correct(o int, by float64) {
	was := float64(r.bias[o])
	now := was + math.RoundToEven(by/r.scale[o])
	bound := r.bound[o] + math.Abs(now) - math.Abs(was)
	if bound <= math.MaxInt32 && bound <= 2*r.bound[o] { // steps stay in range: maxRounded has room for it
		r.bias[o], r.bound[o] = int32(now), bound
	}
}
