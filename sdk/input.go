package sdk

import (
	"math"

	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// inputTable maps 8-bit levels to an int8 network's input, per channel: the
// real number (v/255 - mean) / std in steps of the input tensor,
//
//	table[c][v] = sat8(rne((v/255 - mean[c]) / std[c] / s[c]) + z[c])
//
// in float64, rounded once. An input tensor that takes pixels without rounding
// them (docs/arithmetic.md, section 6) has s[c] = 1 / (255 * std[c]) and z[c]
// next to 255 * mean[c] - 128; what that leaves of the mean is in the first
// bias, so the table is v - 128 exactly, which the formula would miss by one for
// some means.
func inputTable(spec preprocess.Spec, in nn.QTensor) [3][256]int8 {
	var table [3][256]int8
	for c := range table {
		mean, std := float64(spec.Mean[c]), float64(spec.Std[c])
		scale, zero := float64(in.Scale[c]), float64(in.Zero[c])
		lossless := math.Abs(float64(scale*255*std)-1) < 1e-6 && zero == math.RoundToEven(255*mean)-128
		for v := range table[c] {
			q := float64(v) - 128
			if !lossless {
				q = math.RoundToEven((float64(v)/255-mean)/std/scale) + zero
			}
			table[c][v] = int8(min(max(q, -128), 127))
		}
	}
	return table
}
