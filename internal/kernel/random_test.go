package kernel

import "math/rand/v2"

// randomInt8 returns n values in [-most, most), with extreme ones among them.
func randomInt8(r *rand.Rand, n, most int) []int8 {
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(r.IntN(2*most) - most)
	}
	return v
}

// randomEpilogue has multipliers that spread accumulators over the whole int8
// range and beyond.
func randomEpilogue(r *rand.Rand, f Activation, n int) Epilogue {
	m, scale, zero := make([]float32, n), make([]float32, n), make([]int8, n)
	for o := range n {
		m[o] = 0.0005 + 0.002*r.Float32()
		scale[o] = 0.01 + 0.05*r.Float32()
		zero[o] = int8(r.IntN(256) - 128)
		if f == ReLU || f == ReLU6 {
			zero[o] = -128
		}
	}
	return NewEpilogue(f, m, scale, zero)
}
