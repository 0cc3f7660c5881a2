package kernel

import (
	"encoding/binary"
	"unsafe"
)

// Add holds the parameters of equation 12, all per channel.
type Add struct {
	A, B               []float32 // steps of either input to output steps
	ZeroA, ZeroB, Zero []int8    // zero points of inputs and output
	Flip               int8      // of all three tensors: ISA.Flip
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
			u := float32(float32(int32(a[c]^p.Flip)-int32(za[c]))*ma[c]) + float32(float32(int32(b[c]^p.Flip)-int32(zb[c]))*mb[c])
			to[c] = saturate(round(u)+int32(z[c])) ^ p.Flip
		}
	}
}

// PackTable copies a table of equation 13, [C][256], for tensors as isa holds
// them.
func PackTable(isa ISA, table []int8) []int8 {
	packed := make([]int8, len(table))
	for i, v := range table {
		packed[i^int(uint8(isa.Flip()))] = v ^ isa.Flip()
	}
	return packed
}

// Table is equation 13: dst = table[c][src + 128]. src and dst are [pixels][C],
// table is [C][256], packed.
func Table(dst, src, table []int8, channels int) {
	for i := 0; i+channels <= len(src); i += channels {
		to, from := dst[i:][:channels], src[i:][:channels]
		for c, q := range from {
			to[c] = table[c<<8+int(q)+128]
		}
	}
}

// Dequantise is equation 1: dst = s[c] * (src - z[c]). src and dst are
// [pixels][C]; flip is ISA.Flip.
func Dequantise(dst []float32, src []int8, scale []float32, zero []int8, flip int8) {
	n := len(scale)
	for i := 0; i+n <= len(src); i += n {
		to, from := dst[i:][:n], src[i:][:n]
		for c, q := range from {
			to[c] = scale[c] * float32(int32(q^flip)-int32(zero[c]))
		}
	}
}

// Flip XORs every byte: src to dst, which may be the same, from int8 to what a
// plan holds or back.
func Flip(dst, src []int8, flip int8) {
	dst = dst[:len(src)]
	if flip == 0 {
		copy(dst, src)
		return
	}
	all := uint64(uint8(flip)) * 0x0101010101010101
	for len(src) >= 8 {
		from, to := (*[8]byte)(unsafe.Pointer(&src[0])), (*[8]byte)(unsafe.Pointer(&dst[0]))
		binary.NativeEndian.PutUint64(to[:], binary.NativeEndian.Uint64(from[:])^all)
		src, dst = src[8:], dst[8:]
	}
	for i, v := range src {
		dst[i] = v ^ flip
	}
}
