package quant

import (
	"math"

	"github.com/seedge/seedge/nn"
)

// coarsest is the ratio between a tensor's largest and smallest scale: a channel
// that never moves would otherwise have none.
const coarsest = 1 << 16

// scales chooses a scale per channel from the ranges seen:
//
//	full[c] = (max[c] - min[c]) / 255
//	s[c]    = s_max * (full[c] / s_max)^alpha,  s_max = max_c full[c]
//
// alpha 1 gives every channel its own range, alpha 0 all of them the widest.
func scales(min, max []float32, alpha float64) []float64 {
	top := 0.0
	s := make([]float64, len(min))
	for c := range s {
		s[c] = (float64(max[c]) - float64(min[c])) / 255
		top = math.Max(top, s[c])
	}
	if top == 0 { // an all-zero tensor: any scale holds it
		for c := range s {
			s[c] = 1
		}
		return s
	}
	for c := range s {
		s[c] = top * math.Pow(math.Max(s[c]/top, 1.0/coarsest), alpha)
	}
	return s
}

// zero chooses the zero point of a channel with range [lo, hi] and scale s. A
// scale wider than the range leaves steps to spare: half of them go below lo,
// but none below floor, where the function before has no values.
func zero(lo, hi, s, floor float64) int8 {
	spare := math.Max(0, 255-(hi-lo)/s) / 2
	bottom := math.Max(lo-spare*s, math.Min(floor, lo))
	return int8(math.Min(math.Max(math.RoundToEven(-128-bottom/s), -128), 127))
}

// lowest is the smallest value of an activation function.
func lowest(f nn.Func) float64 {
	switch f {
	case nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.HardSigmoid:
		return 0
	case nn.HardSwish:
		return -0.375 // at x = -1.5
	}
	return math.Inf(-1)
}

// tensor is a quantised tensor while it is being made: float64 scales, and the
// real numbers that its channels' zero points stand for. offset differs from 0
// only in the lossless 8-bit input (arithmetic.md, section 6), where q stands
// for scale * (q - zero) + offset.
type tensor struct {
	scale  []float64
	zero   []int8
	offset []float64
}

func (t tensor) export(s nn.Shape) nn.QTensor {
	q := nn.QTensor{Shape: s, Zero: t.zero}
	for _, v := range t.scale {
		q.Scale = append(q.Scale, float32(v))
	}
	return q
}

// outputTensor chooses scales and zero points of a step's output. least[c], if
// given, is a lower bound that keeps the arithmetic in range.
func outputTensor(lo, hi []float32, f nn.Func, alpha float64, least []float64) tensor {
	t := tensor{scale: scales(lo, hi, alpha)}
	for c := range t.scale {
		if least != nil {
			t.scale[c] = math.Max(t.scale[c], least[c])
		}
		t.scale[c] = float64(float32(min(max(t.scale[c], nn.MinScale), nn.MaxScale)))
		z := int8(-128)
		if f != nn.ReLU && f != nn.ReLU6 {
			z = zero(float64(lo[c]), float64(hi[c]), t.scale[c], lowest(f))
		}
		t.zero = append(t.zero, z)
	}
	return t
}

// inputTensor takes 8-bit images without rounding if it knows how they were
// normalised, and otherwise quantises what was seen.
func inputTensor(in Input, s *stats) tensor {
	if !in.lossless(len(s.min)) {
		return outputTensor(s.min, s.max, nn.Identity, 1, nil)
	}
	var t tensor
	for c := range s.min {
		scale := float64(float32(1 / (255 * float64(in.Std[c]))))
		exact := 255*float64(in.Mean[c]) - 128
		z := math.RoundToEven(exact)
		t.scale = append(t.scale, scale)
		t.zero = append(t.zero, int8(math.Min(z, 127)))
		t.offset = append(t.offset, scale*(float64(t.zero[c])-exact))
	}
	return t
}

// lossless reports whether an input of so many channels takes 8-bit pixels
// without rounding them.
func (in Input) lossless(channels int) bool {
	ok := len(in.Mean) == channels && len(in.Std) == channels
	for c := range in.Mean {
		ok = ok && in.Mean[c] >= 0 && in.Mean[c] <= 1 && in.Std[c] > 0
	}
	return ok
}
