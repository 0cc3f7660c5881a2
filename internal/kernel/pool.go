package kernel

// Sums adds up each channel over all pixels and takes the zero point out:
//
//	sum[c] = sum over pixels of (src[pixel][c] - zero[c])
//
// which is S[c] - n*z_x[c] of equations 7 and 8. src is [pixels][C]; sum and
// zero are [C]. There must be fewer than 2^23 pixels.
func Sums(sum []int32, src, zero []int8) {
	n := len(sum)
	zero = zero[:n]
	pixels := int32(len(src) / n)
	for c, z := range zero {
		sum[c] = -pixels * int32(z)
	}
	addRows(sum, src, 0)
}

// addRows is sum[c] += sum over pixels of the int8 value of src[pixel][c].
func addRows(sum []int32, src []int8, flip int8) {
	n := len(sum)
	// Four pixels at a time, so that a sum is loaded and stored less often.
	for ; len(src) >= 4*n; src = src[4*n:] {
		p0, p1, p2, p3 := src[:n], src[n:][:n], src[2*n:][:n], src[3*n:][:n]
		for c := range sum {
			sum[c] += int32(p0[c]^flip) + int32(p1[c]^flip) + int32(p2[c]^flip) + int32(p3[c]^flip)
		}
	}
	for ; len(src) >= n; src = src[n:] {
		p := src[:n]
		for c := range sum {
			sum[c] += int32(p[c] ^ flip)
		}
	}
}

// Pool rounds sums to int8, equation 7: dst[c] = sat8(rne(f32(sum[c]) * m[c]) + z[c]).
// flip is that of dst: ISA.Flip.
func Pool(dst []int8, sum []int32, multiplier []float32, zero []int8, flip int8) {
	for c := range dst {
		dst[c] = saturate(round(float32(sum[c])*multiplier[c])+int32(zero[c])) ^ flip
	}
}

// Scale is dst[c] = f32(v[c]) * m[c]: the embedding before rounding, section 3.
func Scale(dst []float32, v []int32, multiplier []float32) {
	for c := range dst {
		dst[c] = float32(v[c]) * multiplier[c]
	}
}
