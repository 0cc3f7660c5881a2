package quant

import "math"

// Wilson is Wilson's score interval (1927) of 95 % for correct of n, in percent.
// It stays within 0 to 100 and is right for few images and for shares near the
// ends.
func Wilson(correct, n int) (low, high float64) {
	const z = 1.959964
	share, count := float64(correct)/float64(n), float64(n)
	centre := share + z*z/(2*count)
	half := z * math.Sqrt(share*(1-share)/count+z*z/(4*count*count))
	scale := 100 / (1 + z*z/count)
	return max(0, scale*(centre-half)), min(100, scale*(centre+half))
}
