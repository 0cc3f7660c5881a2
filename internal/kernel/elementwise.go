package kernel

// Add holds the parameters of equation 12, all per channel.
type Add struct {
	A, B               []float32 // steps of either input to output steps
	ZeroA, ZeroB, Zero []int8    // zero points of inputs and output
}

// Run computes dst = sat8(rne(f32(a - z_a) * A + f32(b - z_b) * B) + z). All
// three are [pixels][C]. A ReLU after the sum is saturation at z = -128.
func (p *Add) Run(dst, a, b []int8) {
	n := len(p.A)
	ma, mb := p.A, p.B[:n]
	za, zb, z := p.ZeroA[:n], p.ZeroB[:n], p.Zero[:n]
	for i := 0; i+n <= len(dst); i += n {
		to, a, b := dst[i:][:n], a[i:][:n], b[i:][:n]
		for c := range to {
			u := float32(float32(int32(a[c])-int32(za[c]))*ma[c]) + float32(float32(int32(b[c])-int32(zb[c]))*mb[c])
			to[c] = saturate(round(u) + int32(z[c]))
		}
	}
}

// Table is equation 13: dst = table[c][src + 128]. src and dst are [pixels][C],
// table is [C][256].
func Table(dst, src, table []int8, channels int) {
	for i := 0; i+channels <= len(src); i += channels {
		to, from := dst[i:][:channels], src[i:][:channels]
		for c, q := range from {
			to[c] = table[c<<8+int(q)+128]
		}
	}
}

// Dequantise is equation 1: dst = s[c] * (src - z[c]). src and dst are
// [pixels][C].
func Dequantise(dst []float32, src []int8, scale []float32, zero []int8) {
	n := len(scale)
	for i := 0; i+n <= len(src); i += n {
		to, from := dst[i:][:n], src[i:][:n]
		for c, q := range from {
			to[c] = scale[c] * float32(int32(q)-int32(zero[c]))
		}
	}
}
