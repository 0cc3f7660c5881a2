package nn

import "fmt"

// SqueezeExcite scales each channel by a gate computed from all channels'
// means (Hu et al. 2018, section 3; the MobileNetV3 paper, section 5.3, has the
// hard-sigmoid gate):
//
//	squeeze     p[c] = mean over y, x of in[y, x, c]
//	excitation  g = Gate(Expand * Inner(Reduce * p + ReduceBias) + ExpandBias)
//	scale       out[y, x, c] = in[y, x, c] * g[c]
//
// One node serves every network; only its place in the block differs.
type SqueezeExcite struct {
	C          int       `json:"c"`
	Squeezed   int       `json:"squeezed"` // width of the inner vector
	Inner      Func      `json:"inner"`
	Gate       Func      `json:"gate"`
	Reduce     []float32 `json:"-"` // [Squeezed][C]
	ReduceBias []float32 `json:"-"` // [Squeezed]
	Expand     []float32 `json:"-"` // [C][Squeezed]
	ExpandBias []float32 `json:"-"` // [C]
}

// Kind returns "squeeze_excite".
func (*SqueezeExcite) Kind() string { return "squeeze_excite" }

// Infer returns the input's shape.
func (s *SqueezeExcite) Infer(in []Shape) (Shape, error) {
	if s.C < 1 || s.Squeezed < 1 || s.C > maxDim || s.Squeezed > maxDim {
		return Shape{}, fmt.Errorf("squeeze-excite of %d channels squeezed to %d, want 1 to %d each", s.C, s.Squeezed, maxDim)
	}
	if int64(s.C)*int64(s.Squeezed) > maxElements {
		return Shape{}, fmt.Errorf("squeeze-excite of %d channels squeezed to %d has more than %d weights", s.C, s.Squeezed, maxElements)
	}
	if !s.Inner.known() {
		return Shape{}, fmt.Errorf("squeeze-excite's inner activation is %v, want one of %v", s.Inner, funcNames)
	}
	if s.Gate != HardSigmoid && s.Gate != Sigmoid {
		return Shape{}, fmt.Errorf("squeeze-excite's gate is %v, want %v or %v", s.Gate, HardSigmoid, Sigmoid)
	}
	if len(in) != 1 || in[0].C != s.C {
		return Shape{}, fmt.Errorf("squeeze-excite wants one input of %d channels, got %v", s.C, in)
	}
	return in[0], nil
}

// Params are the two fully connected layers: reduce, then expand.
func (s *SqueezeExcite) Params() []Param {
	return []Param{
		{Name: "reduce.weight", Shape: []int{s.Squeezed, s.C}, Data: &s.Reduce},
		{Name: "reduce.bias", Shape: []int{s.Squeezed}, Data: &s.ReduceBias},
		{Name: "expand.weight", Shape: []int{s.C, s.Squeezed}, Data: &s.Expand},
		{Name: "expand.bias", Shape: []int{s.C}, Data: &s.ExpandBias},
	}
}

// MACs counts the two fully connected layers.
func (s *SqueezeExcite) MACs([]Shape, Shape) int64 { return 2 * int64(s.C) * int64(s.Squeezed) }

// Excite returns the squeezed vector of an input and the inner vector computed
// from it, which calibration needs to see.
func (s *SqueezeExcite) Excite(in Tensor) (squeezed, inner []float32) {
	squeezed, inner = make([]float32, s.C), make([]float32, s.Squeezed)
	s.excite(in, squeezed, inner, &scratch{})
	return squeezed, inner
}

func (s *SqueezeExcite) excite(in Tensor, squeezed, inner []float32, tmp *scratch) {
	channelMeans(in, squeezed, tmp)
	matmul(squeezed, s.Reduce, s.ReduceBias, inner, 1, s.C, s.Squeezed)
	for j, v := range inner {
		inner[j] = s.Inner.Apply(v)
	}
}

func (s *SqueezeExcite) forward(in []Tensor, out Tensor, tmp *scratch) {
	buf := tmp.singles(2*s.C + s.Squeezed)
	squeezed, inner, gate := buf[:s.C], buf[s.C:s.C+s.Squeezed], buf[s.C+s.Squeezed:]
	s.excite(in[0], squeezed, inner, tmp)
	matmul(inner, s.Expand, s.ExpandBias, gate, 1, s.Squeezed, s.C)
	for c, v := range gate {
		gate[c] = s.Gate.Apply(v)
	}
	for i := 0; i < len(out.Data); i += s.C {
		to, from := out.Data[i:i+s.C], in[0].Data[i:i+s.C]
		for c, g := range gate {
			to[c] = from[c] * g
		}
	}
}

// channelMeans sums in float64: a mean over 12,544 positions in float32 would
// lose digits that the reference should keep.
func channelMeans(in Tensor, mean []float32, tmp *scratch) {
	sum := tmp.doubles(in.C)
	clear(sum)
	for i := 0; i < len(in.Data); i += in.C {
		for c, v := range in.Data[i : i+in.C] {
			sum[c] += float64(v)
		}
	}
	for c, v := range sum {
		mean[c] = float32(v / float64(in.H*in.W))
	}
}
