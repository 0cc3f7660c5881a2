package quant

import "math"

// SQNR accumulates the signal to quantisation noise ratio of any number of
// vectors: 10 log10(sum ref^2 / sum (got - ref)^2).
type SQNR struct{ signal, noise float64 }

// Add takes one pair of vectors of the same length.
func (s *SQNR) Add(ref, got []float32) {
	for i, r := range ref {
		d := float64(got[i]) - float64(r)
		s.signal += float64(r) * float64(r)
		s.noise += d * d
	}
}

// DB is the ratio in decibels; +Inf where nothing was lost.
func (s *SQNR) DB() float64 { return 10 * math.Log10(s.signal/s.noise) }
