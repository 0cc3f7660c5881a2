package nn

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// maxSteps bounds what is rounded to an integer, in output steps: below 2^31
// every CPU's conversion agrees, above it they differ.
const maxSteps = 1 << 30

// MinScale and MaxScale bound the scales of activations, so that no embedding
// computed from them can overflow.
const (
	MinScale = 0x1p-100
	MaxScale = 0x1p+100
)

// MaxSqueeze is the largest magnitude of the int16 vectors inside
// squeeze-and-excitation: 960 * 127 * 16383 still fits an int32.
const MaxSqueeze = 16383

// inferQ returns the output's shape of an operation for its inputs.
func inferQ(op QOp, in []QTensor) (Shape, error) {
	shapes := make([]Shape, len(in))
	for i, t := range in {
		shapes[i] = t.Shape
	}
	return op.infer(shapes)
}

// Check proves that the network can run and cannot overflow: shapes fit, every
// array has its length, scales are finite and positive, int32 accumulators hold
// for any input, and every rounding stays below 2^30 steps. A network that
// passes gives the same bytes on every CPU.
func (q *Quantised) Check() error {
	if len(q.Nodes) < 2 {
		return fmt.Errorf("nn: the quantised network has no operations: %w", ErrGraph)
	}
	if q.Features < 0 || q.Features >= len(q.Nodes) {
		return fmt.Errorf("nn: features are node %d, want 0 to %d: %w", q.Features, len(q.Nodes)-1, ErrGraph)
	}
	for id, n := range q.Nodes {
		if err := q.checkNode(id); err != nil {
			return fmt.Errorf("nn: quantised node %q: %w: %w", n.Name, ErrGraph, err)
		}
	}
	last, ok := q.Output().Op.(*QLinear)
	if !ok || !last.Float {
		return fmt.Errorf("nn: the quantised network ends in node %q, want a linear layer with float output: %w", q.Output().Name, ErrGraph)
	}
	return nil
}

func (q *Quantised) checkNode(id int) error {
	n := q.Nodes[id]
	s := n.Out.Shape
	if !s.valid() {
		return fmt.Errorf("shape %s, want 1 to %d each and at most %d elements", s, maxDim, maxElements)
	}
	if id == 0 {
		if n.Op != nil || len(n.Inputs) > 0 {
			return errors.New("node 0 must be the input")
		}
		return n.Out.check()
	}
	if n.Op == nil {
		return errors.New("no operation")
	}
	in := make([]QTensor, len(n.Inputs))
	for i, from := range n.Inputs {
		if from < 0 || from >= id {
			return fmt.Errorf("input %d is node %d, want 0 to %d", i, from, id-1)
		}
		in[i] = q.Nodes[from].Out // int8, or its own check would have refused it
	}
	out, err := inferQ(n.Op, in)
	if err != nil {
		return err
	}
	if out != s {
		return fmt.Errorf("shape %s, want %s", s, out)
	}
	for _, p := range n.Op.Params(in, n.Out) {
		if p.have() != p.Len() {
			return fmt.Errorf("%s has %d elements, want %d (%v)", p.Name, p.have(), p.Len(), p.Shape)
		}
		if p.Float != nil {
			for i, v := range *p.Float {
				if v-v != 0 {
					return fmt.Errorf("%s of channel %d is %g", p.Name, i, v)
				}
			}
		}
	}
	if l, ok := n.Op.(*QLinear); ok && l.Float {
		if n.Out.Scale != nil || n.Out.Zero != nil {
			return errors.New("float32 output with int8 scales")
		}
		if id != len(q.Nodes)-1 {
			return errors.New("float32 output before the end")
		}
	} else if err := n.Out.check(); err != nil {
		return err
	}
	return n.Op.check(in, n.Out)
}

func (t QTensor) check() error {
	if len(t.Scale) != t.Shape.C || len(t.Zero) != t.Shape.C {
		return fmt.Errorf("%d scales and %d zero points, want %d", len(t.Scale), len(t.Zero), t.Shape.C)
	}
	for c, s := range t.Scale {
		if !(s >= MinScale && s <= MaxScale) {
			return fmt.Errorf("scale of channel %d is %g, want %g to %g", c, s, MinScale, MaxScale)
		}
	}
	return nil
}

func (c *QConv) infer(in []Shape) (Shape, error) {
	want := 1
	if c.Residual {
		want = 2
	}
	if len(in) != want {
		return Shape{}, fmt.Errorf("convolution has %d inputs, want %d", len(in), want)
	}
	out, err := c.Window.Infer(in[0])
	if err == nil && c.Residual && in[1] != out {
		err = fmt.Errorf("residual %s does not fit %s", in[1], out)
	}
	return out, err
}

func (l *QLinear) infer(in []Shape) (Shape, error) {
	return (&Linear{In: l.In, Out: l.Out}).Infer(in)
}

func (*QPool) infer(in []Shape) (Shape, error) { return (&GlobalAvgPool{}).Infer(in) }

func (s *QSqueezeExcite) infer(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("squeeze-excite has %d inputs, want 1", len(in))
	}
	return (&SqueezeExcite{C: in[0].C, Squeezed: s.Squeezed, Gate: s.Gate}).Infer(in)
}

func (*QAdd) infer(in []Shape) (Shape, error) { return (&Add{}).Infer(in) }

func (*QTable) infer(in []Shape) (Shape, error) { return oneInput("table", in) }

// accumulators proves, for each output channel, that bias plus taps weights
// times inputs of magnitude up to most fit an int32, and returns the bounds.
func accumulators(weight []int8, bias []int32, taps int, most int64) ([]float64, error) {
	bound := make([]float64, len(bias))
	for o, b := range bias {
		sum := int64(b)
		if sum < 0 {
			sum = -sum
		}
		// Opening a model waits for this loop over all weights: no branches.
		row := weight[o*taps : (o+1)*taps]
		magnitude, least := int64(0), int64(0)
		for _, w := range row {
			v := int64(w)
			sign := v >> 63
			magnitude += (v ^ sign) - sign
			least = min(least, v)
		}
		if least == -128 {
			return nil, fmt.Errorf("weight %d of output channel %d is -128, want -127 to 127", slices.Index(row, -128), o)
		}
		sum += most * magnitude
		if sum > math.MaxInt32 {
			return nil, fmt.Errorf("output channel %d: accumulator can reach %d, which does not fit an int32", o, sum)
		}
		bound[o] = float64(sum)
	}
	return bound, nil
}

// steps proves that a rounding stays in range.
func steps(o int, most float64) error {
	if !(most < maxSteps) {
		return fmt.Errorf("channel %d: the output can reach %g steps, want below %d", o, most, maxSteps)
	}
	return nil
}

func checkEpilogue(act Func, weight []int8, bias []int32, m []float32, taps int, residual []float32) error {
	if act != Identity && act != ReLU && act != ReLU6 && act != HardSwish {
		return fmt.Errorf("activation %v, want identity, relu, relu6 or hard_swish", act)
	}
	bound, err := accumulators(weight, bias, taps, 128)
	if err != nil {
		return err
	}
	for o, b := range bound {
		most := b * math.Abs(float64(m[o]))
		if residual != nil {
			most += 256 * math.Abs(float64(residual[o]))
		}
		if err := steps(o, most); err != nil {
			return err
		}
	}
	return nil
}

func (c *QConv) check(in []QTensor, out QTensor) error {
	var residual []float32
	if c.Residual {
		residual = c.ResidualM
	}
	if err := checkEpilogue(c.Act, c.Weight, c.Bias, c.Multiplier, c.Taps(), residual); err != nil {
		return err
	}
	return checkZero(c.Act, out)
}

func (l *QLinear) check(_ []QTensor, out QTensor) error {
	if err := checkEpilogue(l.Act, l.Weight, l.Bias, l.Multiplier, l.In, nil); err != nil {
		return err
	}
	if l.Float {
		if l.Act != Identity {
			return fmt.Errorf("float32 output with activation %v, want identity", l.Act)
		}
		return nil
	}
	return checkZero(l.Act, out)
}

// checkZero holds the outputs of ReLU to zero point -128, where saturation is
// the activation.
func checkZero(act Func, out QTensor) error {
	if act != ReLU && act != ReLU6 {
		return nil
	}
	for c, z := range out.Zero {
		if z != -128 {
			return fmt.Errorf("zero point of channel %d after %v is %d, want -128", c, act, z)
		}
	}
	return nil
}

func (p *QPool) check(in []QTensor, _ QTensor) error {
	return checkSums(in[0].Shape, p.Multiplier)
}

func checkSums(in Shape, m []float32) error {
	n := in.H * in.W
	if n > math.MaxInt32/256 {
		return fmt.Errorf("%s has too many positions to sum in an int32", in)
	}
	for c, v := range m {
		if err := steps(c, float64(n)*256*math.Abs(float64(v))); err != nil {
			return err
		}
	}
	return nil
}

func (s *QSqueezeExcite) check(in []QTensor, out QTensor) error {
	if err := checkSums(in[0].Shape, s.SqueezeM); err != nil {
		return err
	}
	reduce, err := accumulators(s.Reduce, s.ReduceBias, in[0].Shape.C, MaxSqueeze)
	if err != nil {
		return fmt.Errorf("reduce: %w", err)
	}
	for j, b := range reduce {
		if err := steps(j, b*math.Abs(float64(s.ReduceM[j]))); err != nil {
			return fmt.Errorf("reduce: %w", err)
		}
	}
	if _, err := accumulators(s.Expand, s.ExpandBias, s.Squeezed, MaxSqueeze); err != nil {
		return fmt.Errorf("expand: %w", err)
	}
	for c, k := range s.ScaleM {
		if err := steps(c, 256*math.Abs(float64(k))); err != nil {
			return err
		}
	}
	return nil
}

func (a *QAdd) check(_ []QTensor, out QTensor) error {
	if a.Act != Identity && a.Act != ReLU {
		return fmt.Errorf("activation %v after add, want identity or relu", a.Act)
	}
	for c := range a.A {
		if err := steps(c, 256*(math.Abs(float64(a.A[c]))+math.Abs(float64(a.B[c])))); err != nil {
			return err
		}
	}
	return checkZero(a.Act, out)
}

func (*QTable) check([]QTensor, QTensor) error { return nil }
