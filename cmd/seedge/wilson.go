package main

import "math"

// score is a share of images and its 95 % confidence interval, in percent.
type score struct {
	Percent float64 `json:"percent"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Correct int     `json:"correct"`
}

// wilson is Wilson's score interval (1927), which stays within 0 to 100 % and
// is right for few images and for shares near the ends.
func wilson(correct, n int) score {
	const z = 1.959964 // of 95 %
	share, count := float64(correct)/float64(n), float64(n)
	centre := share + z*z/(2*count)
	half := z * math.Sqrt(share*(1-share)/count+z*z/(4*count*count))
	scale := 100 / (1 + z*z/count)
	return score{100 * share, max(0, scale*(centre-half)), min(100, scale*(centre+half)), correct}
}
