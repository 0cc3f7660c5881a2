package nn

import "fmt"

// QTensor describes one int8 activation tensor. Element q of channel c stands
// for the real number Scale[c] * (q - Zero[c]): arithmetic.md, equation 1.
type QTensor struct {
	Shape Shape     `json:"shape"`
	Scale []float32 `json:"-"` // per channel, more than 0
	Zero  []int8    `json:"-"` // per channel
}

// QNode is one integer operation.
type QNode struct {
	Name   string
	Op     QOp   // nil for node 0, the input
	Inputs []int // indices into Quantised.Nodes, all below this node's own
	// Out describes the output. Logits have a shape but no scales: they are
	// float32, not int8.
	Out QTensor
}

// Quantised is an int8 network: nodes in topological order, node 0 the input
// image, the last node the float32 logits. docs/arithmetic.md holds the
// equations of every operation; results are the same bytes on every machine.
type Quantised struct {
	Nodes    []QNode
	Features int // the node whose output is the embedding; 0: the network has none
}

// Output is the last node.
func (q *Quantised) Output() QNode { return q.Nodes[len(q.Nodes)-1] }

// QOp is what an integer node computes.
type QOp interface {
	// Kind is the operation's name in model files and listings.
	Kind() string
	// Params lists the parameter arrays in the order they are stored, for an
	// operation whose inputs and output are in and out.
	Params(in []QTensor, out QTensor) []QParam

	infer(in []Shape) (Shape, error)
	check(in []QTensor, out QTensor) error
}

// QParam is one parameter array of an integer operation: exactly one of the
// pointers is set, and what it points at is filled by loaders.
type QParam struct {
	Name  string
	Shape []int
	Int8  *[]int8
	Int32 *[]int32
	Float *[]float32
}

// Len is the number of elements that Shape stands for.
func (p QParam) Len() int { return Param{Shape: p.Shape}.Len() }

func (p QParam) have() int {
	switch {
	case p.Int8 != nil:
		return len(*p.Int8)
	case p.Int32 != nil:
		return len(*p.Int32)
	}
	return len(*p.Float)
}

// QConv is a convolution with its activation and, if it has two inputs, the
// residual (input 1, of the output's shape): arithmetic.md, equations 2 to 5.
type QConv struct {
	Window
	Act        Func      `json:"act"` // Identity, ReLU, ReLU6 or HardSwish
	Residual   bool      `json:"add"` // a second input is added before the rounding
	Weight     []int8    `json:"-"`   // [Out][KernelH][KernelW][In/Groups], in [-127, 127]
	Bias       []int32   `json:"-"`   // [Out]
	Multiplier []float32 `json:"-"`   // [Out], accumulator to output steps
	ResidualM  []float32 `json:"-"`   // [Out], residual steps to output steps
}

// QLinear is a fully connected layer on a vector, as QConv without a window.
// With Float set its output is float32, the logits: equation 6.
type QLinear struct {
	In         int       `json:"in"`
	Out        int       `json:"out"`
	Act        Func      `json:"act"`
	Float      bool      `json:"float"`
	Weight     []int8    `json:"-"` // [Out][In], in [-127, 127]
	Bias       []int32   `json:"-"` // [Out]
	Multiplier []float32 `json:"-"` // [Out]
}

// QPool is the global average: equation 7.
type QPool struct {
	Multiplier []float32 `json:"-"` // [C], sum of input steps to output steps
}

// QSqueezeExcite is squeeze-and-excitation in integers with a float32 gate:
// equations 8 to 11.
type QSqueezeExcite struct {
	Squeezed   int       `json:"squeezed"`
	Gate       Func      `json:"gate"`
	SqueezeM   []float32 `json:"-"` // [C], channel sum to int16 steps
	Reduce     []int8    `json:"-"` // [Squeezed][C]
	ReduceBias []int32   `json:"-"` // [Squeezed]
	ReduceM    []float32 `json:"-"` // [Squeezed], accumulator to int16 steps
	Expand     []int8    `json:"-"` // [C][Squeezed]
	ExpandBias []int32   `json:"-"` // [C]
	ExpandM    []float32 `json:"-"` // [C], accumulator to the gate's argument
	ScaleM     []float32 `json:"-"` // [C], input steps to output steps at gate 1
}

// QAdd is a residual that no convolution could take up: equation 12.
type QAdd struct {
	Act Func      `json:"act"` // Identity or ReLU
	A   []float32 `json:"-"`   // [C], steps of input 0 to output steps
	B   []float32 `json:"-"`   // [C], steps of input 1 to output steps
}

// QTable is an elementwise function as a table per channel: equation 13.
type QTable struct {
	Table []int8 `json:"-"` // [C][256], index q + 128
}

// Kind names the operation in model files.
func (*QConv) Kind() string { return "conv2d" }

// Kind names the operation in model files.
func (*QLinear) Kind() string { return "linear" }

// Kind names the operation in model files.
func (*QPool) Kind() string { return "global_avg_pool" }

// Kind names the operation in model files.
func (*QSqueezeExcite) Kind() string { return "squeeze_excite" }

// Kind names the operation in model files.
func (*QAdd) Kind() string { return "add" }

// Kind names the operation in model files.
func (*QTable) Kind() string { return "table" }

// NewQOp returns an empty operation of a kind, for loaders.
func NewQOp(kind string) (QOp, error) {
	for _, op := range []QOp{&QConv{}, &QLinear{}, &QPool{}, &QSqueezeExcite{}, &QAdd{}, &QTable{}} {
		if op.Kind() == kind {
			return op, nil
		}
	}
	return nil, fmt.Errorf("nn: unknown integer operation %q: %w", kind, ErrGraph)
}

// NewOp returns an empty float operation of a kind, for loaders.
func NewOp(kind string) (Op, error) {
	for _, op := range []Op{
		&Conv2D{}, &Linear{}, &SqueezeExcite{}, &BatchNorm{}, &Activation{}, &Add{}, &GlobalAvgPool{}, &Softmax{},
	} {
		if op.Kind() == kind {
			return op, nil
		}
	}
	return nil, fmt.Errorf("nn: unknown operation %q: %w", kind, ErrGraph)
}

// Params are the convolution's arrays.
func (c *QConv) Params(_ []QTensor, _ QTensor) []QParam {
	out := []int{c.Out}
	p := []QParam{
		{Name: "weight", Shape: c.WeightShape(), Int8: &c.Weight},
		{Name: "bias", Shape: out, Int32: &c.Bias},
		{Name: "multiplier", Shape: out, Float: &c.Multiplier},
	}
	if c.Residual {
		p = append(p, QParam{Name: "residual", Shape: out, Float: &c.ResidualM})
	}
	return p
}

// Params are the layer's arrays.
func (l *QLinear) Params(_ []QTensor, _ QTensor) []QParam {
	out := []int{l.Out}
	p := []QParam{
		{Name: "weight", Shape: []int{l.Out, l.In}, Int8: &l.Weight},
		{Name: "bias", Shape: out, Int32: &l.Bias},
		{Name: "multiplier", Shape: out, Float: &l.Multiplier},
	}
	return p
}

// Params is the multiplier.
func (p *QPool) Params(_ []QTensor, out QTensor) []QParam {
	return []QParam{{Name: "multiplier", Shape: []int{out.Shape.C}, Float: &p.Multiplier}}
}

// Params are the two layers' arrays and the multipliers around them.
func (s *QSqueezeExcite) Params(_ []QTensor, out QTensor) []QParam {
	c, n := []int{out.Shape.C}, []int{s.Squeezed}
	return []QParam{
		{Name: "squeeze.multiplier", Shape: c, Float: &s.SqueezeM},
		{Name: "reduce.weight", Shape: []int{s.Squeezed, out.Shape.C}, Int8: &s.Reduce},
		{Name: "reduce.bias", Shape: n, Int32: &s.ReduceBias},
		{Name: "reduce.multiplier", Shape: n, Float: &s.ReduceM},
		{Name: "expand.weight", Shape: []int{out.Shape.C, s.Squeezed}, Int8: &s.Expand},
		{Name: "expand.bias", Shape: c, Int32: &s.ExpandBias},
		{Name: "expand.multiplier", Shape: c, Float: &s.ExpandM},
		{Name: "scale.multiplier", Shape: c, Float: &s.ScaleM},
	}
}

// Params are the two multipliers.
func (a *QAdd) Params(_ []QTensor, out QTensor) []QParam {
	c := []int{out.Shape.C}
	return []QParam{{Name: "a", Shape: c, Float: &a.A}, {Name: "b", Shape: c, Float: &a.B}}
}

// Params is the table.
func (t *QTable) Params(_ []QTensor, out QTensor) []QParam {
	return []QParam{{Name: "table", Shape: []int{out.Shape.C, 256}, Int8: &t.Table}}
}
