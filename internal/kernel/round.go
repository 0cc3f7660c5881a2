package kernel

import "math"

// round is rne(x): the nearest integer, half to even, for |x| < 2^31.
//
// At 1.5 * 2^52 neighbouring float64 are 1 apart, so the addition rounds to an
// integer by the CPU's own rule, and the sum's low 32 bits are that integer in
// two's complement. A float32 is exact as a float64, so this is the only
// rounding. It is as exact as math.RoundToEven and quick on every CPU.
func round(x float32) int32 {
	const magic = 3 << 51
	return int32(math.Float64bits(float64(x) + magic))
}

// saturate is sat8(v).
func saturate(v int32) int8 { return int8(min(max(v, -128), 127)) }
