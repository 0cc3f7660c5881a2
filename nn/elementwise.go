package nn

import (
	"fmt"
	"math"
)

// GlobalAvgPool averages each channel over the whole image.
type GlobalAvgPool struct{}

// Kind returns "global_avg_pool".
func (*GlobalAvgPool) Kind() string { return "global_avg_pool" }

// Infer returns 1x1xC.
func (*GlobalAvgPool) Infer(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("global average pool wants 1 input, got %d", len(in))
	}
	return Shape{1, 1, in[0].C}, nil
}

// Params returns none.
func (*GlobalAvgPool) Params() []Param { return nil }

// MACs counts none.
func (*GlobalAvgPool) MACs([]Shape, Shape) int64 { return 0 }

func (*GlobalAvgPool) forward(in []Tensor, out Tensor, tmp *scratch) {
	channelMeans(in[0], out.Data, tmp)
}

// Add is the residual: the elementwise sum of two tensors of one shape.
type Add struct{}

// Kind returns "add".
func (*Add) Kind() string { return "add" }

// Infer wants two inputs of the same shape.
func (*Add) Infer(in []Shape) (Shape, error) {
	if len(in) != 2 || in[0] != in[1] {
		return Shape{}, fmt.Errorf("add wants two inputs of one shape, got %v", in)
	}
	return in[0], nil
}

// Params returns none.
func (*Add) Params() []Param { return nil }

// MACs counts none.
func (*Add) MACs([]Shape, Shape) int64 { return 0 }

func (*Add) forward(in []Tensor, out Tensor, _ *scratch) {
	a, b := in[0].Data, in[1].Data[:len(in[0].Data)]
	for i, v := range a {
		out.Data[i] = v + b[i]
	}
}

// Activation applies Func elementwise.
type Activation struct {
	Func Func `json:"func"`
}

// Kind returns "activation".
func (*Activation) Kind() string { return "activation" }

// Infer returns the input's shape.
func (a *Activation) Infer(in []Shape) (Shape, error) {
	if !a.Func.known() {
		return Shape{}, fmt.Errorf("unknown activation function %v", a.Func)
	}
	return oneInput("activation", in)
}

// Params returns none.
func (*Activation) Params() []Param { return nil }

// MACs counts none.
func (*Activation) MACs([]Shape, Shape) int64 { return 0 }

func (a *Activation) forward(in []Tensor, out Tensor, _ *scratch) {
	for i, v := range in[0].Data {
		out.Data[i] = a.Func.Apply(v)
	}
}

// BatchNorm normalises each channel by running statistics:
// Gamma * (x - Mean) / sqrt(Var + Eps) + Beta. Eps is 1e-3 in torchvision's
// MobileNetV3 and in Keras, 1e-5 elsewhere in PyTorch.
type BatchNorm struct {
	C     int       `json:"c"`
	Eps   float64   `json:"eps"`
	Gamma []float32 `json:"-"`
	Beta  []float32 `json:"-"`
	Mean  []float32 `json:"-"`
	Var   []float32 `json:"-"`
}

// Kind returns "batch_norm".
func (*BatchNorm) Kind() string { return "batch_norm" }

// Infer returns the input's shape.
func (b *BatchNorm) Infer(in []Shape) (Shape, error) {
	if len(in) != 1 || in[0].C != b.C {
		return Shape{}, fmt.Errorf("batch norm wants one input of %d channels, got %v", b.C, in)
	}
	if !(b.Eps > 0) || math.IsInf(b.Eps, 0) {
		return Shape{}, fmt.Errorf("batch norm's eps is %g, want a number more than 0", b.Eps)
	}
	return in[0], nil
}

// Params are the affine pair and the running statistics.
func (b *BatchNorm) Params() []Param {
	n := []int{b.C}
	return []Param{
		{Name: "weight", Shape: n, Data: &b.Gamma},
		{Name: "bias", Shape: n, Data: &b.Beta},
		{Name: "running_mean", Shape: n, Data: &b.Mean, Buffer: true},
		{Name: "running_var", Shape: n, Data: &b.Var, Buffer: true, Variance: true},
	}
}

// MACs counts none: it is folded into the convolution before it.
func (*BatchNorm) MACs([]Shape, Shape) int64 { return 0 }

// Scale returns the factor and the offset of channel c, so that the layer is
// factor*x + offset.
func (b *BatchNorm) Scale(c int) (factor, offset float64) {
	factor = float64(b.Gamma[c]) / math.Sqrt(float64(b.Var[c])+b.Eps)
	return factor, float64(b.Beta[c]) - factor*float64(b.Mean[c])
}

func (b *BatchNorm) forward(in []Tensor, out Tensor, _ *scratch) {
	for c := range b.C {
		factor, offset := b.Scale(c)
		f, o := float32(factor), float32(offset)
		for i := c; i < len(out.Data); i += b.C {
			out.Data[i] = in[0].Data[i]*f + o
		}
	}
}

// Softmax turns a vector of logits into probabilities.
type Softmax struct{}

// Kind returns "softmax".
func (*Softmax) Kind() string { return "softmax" }

// Infer wants a vector.
func (*Softmax) Infer(in []Shape) (Shape, error) {
	s, err := oneInput("softmax", in)
	if err == nil && s.H*s.W != 1 {
		err = fmt.Errorf("softmax wants a vector, got %s", s)
	}
	return s, err
}

// Params returns none.
func (*Softmax) Params() []Param { return nil }

// MACs counts none.
func (*Softmax) MACs([]Shape, Shape) int64 { return 0 }

func (*Softmax) forward(in []Tensor, out Tensor, _ *scratch) { Probabilities(in[0].Data, out.Data) }

// Probabilities writes the softmax of logits to p, which may be the same slice.
func Probabilities(logits, p []float32) {
	top := float32(math.Inf(-1))
	for _, v := range logits {
		top = max(top, v)
	}
	var sum float64
	for i, v := range logits {
		e := math.Exp(float64(v - top))
		p[i] = float32(e)
		sum += e
	}
	for i := range logits {
		p[i] = float32(float64(p[i]) / sum)
	}
}

func oneInput(what string, in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("%s wants 1 input, got %d", what, len(in))
	}
	return in[0], nil
}
