package kernel

import "math"

// Sigmoid returns 1 / (1 + e^-v), with an error below 1e-7, 1 from 32 up and 0
// from -88 down. It is never NaN.
//
// A CPU's or a library's exponential may differ in the last digit; this is the
// power series of e^r for |r| <= ln(2)/2 in float64, whose every operation is
// rounded by itself (the conversions keep a compiler from fusing them), so that
// the result is the same on every machine.
func Sigmoid(v float32) float32 {
	if v >= 32 {
		return 1
	}
	if !(v > -88) {
		return 0
	}
	x := float64(v)
	if x > 0 {
		x = -x
	}
	// e^x = 2^n * e^r. ln2Hi has 32 trailing zero bits, so n*ln2Hi is exact.
	const (
		log2e = 1.4426950408889634
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
	)
	n := round(float32(x * log2e))
	r := x - float64(float64(n)*ln2Hi)
	r -= float64(float64(n) * ln2Lo)
	p := series[0]
	for _, c := range series[1:] {
		p = float64(p*r) + c
	}
	e := float64(p * math.Float64frombits(uint64(int64(n)+1023)<<52))
	if v > 0 {
		return float32(1 / (1 + e))
	}
	return float32(e / (1 + e))
}

// series holds 1/k! for k from 12 down to 0: the next term is below 1e-15.
var series = [...]float64{
	1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24,
	1. / 6, 1. / 2, 1, 1,
}
