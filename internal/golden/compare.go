package golden

import "math"

// Distance is how far a result is from its reference.
type Distance struct {
	L2  float64 // Euclidean norm of the difference over that of the reference
	Max float64 // largest difference over the largest magnitude of the reference
}

// Compare measures got against want, which must be as long. A NaN anywhere, and
// any difference from an all-zero reference, make the distance NaN or infinite.
func Compare(got, want []float32) Distance {
	var diff, ref, most, top float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		diff += d * d
		ref += float64(w) * float64(w)
		most = max(most, math.Abs(d)) // max of a NaN is NaN
		top = max(top, math.Abs(float64(w)))
	}
	if diff == 0 {
		return Distance{}
	}
	return Distance{math.Sqrt(diff / ref), most / top}
}

// Within reports whether both measures are below limit; a NaN is not.
func (d Distance) Within(limit float64) bool { return d.L2 < limit && d.Max < limit }

// FromCHW reorders a tensor that PyTorch wrote as [C][H][W] to [H][W][C].
func FromCHW(data []float32, c int) []float32 {
	area := len(data) / c
	out := make([]float32, 0, len(data))
	for p := range area {
		for ch := range c {
			out = append(out, data[ch*area+p])
		}
	}
	return out
}
