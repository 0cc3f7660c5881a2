package nn

import "fmt"

// Linear is a fully connected layer on a vector.
type Linear struct {
	In     int       `json:"in"`
	Out    int       `json:"out"`
	Weight []float32 `json:"-"` // [Out][In]
	Bias   []float32 `json:"-"` // [Out]
}

// Kind returns "linear".
func (*Linear) Kind() string { return "linear" }

// Infer wants one 1x1xIn input.
func (l *Linear) Infer(in []Shape) (Shape, error) {
	if l.In < 1 || l.Out < 1 || l.In > maxDim || l.Out > maxDim {
		return Shape{}, fmt.Errorf("linear layer of %d to %d, want 1 to %d each", l.In, l.Out, maxDim)
	}
	if int64(l.In)*int64(l.Out) > maxElements {
		return Shape{}, fmt.Errorf("linear layer of %d to %d has more than %d weights", l.In, l.Out, maxElements)
	}
	if len(in) != 1 || in[0] != (Shape{1, 1, l.In}) {
		return Shape{}, fmt.Errorf("linear layer wants one 1x1x%d input, got %v", l.In, in)
	}
	return Shape{1, 1, l.Out}, nil
}

// Params are weight and bias.
func (l *Linear) Params() []Param {
	return []Param{
		{Name: "weight", Shape: []int{l.Out, l.In}, Data: &l.Weight},
		{Name: "bias", Shape: []int{l.Out}, Data: &l.Bias},
	}
}

// MACs is In times Out.
func (l *Linear) MACs([]Shape, Shape) int64 { return int64(l.In) * int64(l.Out) }

func (l *Linear) forward(in []Tensor, out Tensor, _ *scratch) {
	matmul(in[0].Data, l.Weight, l.Bias, out.Data, 1, l.In, l.Out)
}
