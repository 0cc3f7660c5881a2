package golden

// Values returns n numbers in [-1, 1), the same on every machine and in
// train/goldens_float.py. They depend on seed and name alone. Value i is
//
//	k    = FNV-1a of name, 64 bits, exclusive-or seed
//	x    = k + (i+1) * 0x9e3779b97f4a7c15        modulo 2^64
//	x    = (x ^ x>>30) * 0xbf58476d1ce4e5b9      (splitmix64)
//	x    = (x ^ x>>27) * 0x94d049bb133111eb
//	x    = x ^ x>>31
//	v[i] = (x >> 40) / 2^23 - 1                  exact in float32
func Values(seed uint64, name string, n int) []float32 {
	out := make([]float32, n)
	for i, x := range bits(seed, name, n) {
		out[i] = float32(x>>40)/(1<<23) - 1
	}
	return out
}

// Indices returns n indices below limit, from the same numbers: x modulo limit.
func Indices(seed uint64, name string, n, limit int) []int {
	out := make([]int, n)
	for i, x := range bits(seed, name, n) {
		out[i] = int(x % uint64(limit))
	}
	return out
}

func bits(seed uint64, name string, n int) []uint64 {
	k := uint64(0xcbf29ce484222325)
	for _, b := range []byte(name) {
		k = (k ^ uint64(b)) * 0x100000001b3
	}
	k ^= seed
	out := make([]uint64, n)
	for i := range out {
		x := k + uint64(i+1)*0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		out[i] = x ^ x>>31
	}
	return out
}
