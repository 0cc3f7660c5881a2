package engine

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seedge/seedge/nn"
)

// generator draws quantised networks that pass nn.Quantised.Check, ordinary and
// extreme ones.
type generator struct {
	*rand.Rand
	q     *nn.Quantised
	kinds map[string]int // what was drawn, so that a test can tell that all was
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 31)), kinds: map[string]int{}}
}

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// network draws a network of a few nodes that ends in a pool and logits.
func (g *generator) network() *nn.Quantised {
	in := nn.Shape{H: 1 + g.IntN(17), W: 1 + g.IntN(17), C: 1 + g.IntN(67)}
	if g.oneIn(3) {
		in.C = 3
	}
	g.q = &nn.Quantised{Nodes: []nn.QNode{{Name: "input", Out: g.tensor(in, nn.Identity)}}}
	for range 1 + g.IntN(6) {
		from := len(g.q.Nodes) - 1
		if g.oneIn(4) {
			from = g.IntN(from + 1)
		}
		switch g.IntN(8) {
		case 0:
			g.squeezeExcite(from)
		case 1:
			g.add(from)
		case 2:
			g.table(from)
		default:
			g.conv(from)
		}
	}
	g.pool(len(g.q.Nodes) - 1)
	if g.oneIn(2) {
		g.linear(false)
	}
	g.linear(true)
	switch g.IntN(4) {
	case 0:
		g.q.Features = g.IntN(len(g.q.Nodes))
	case 1, 2:
		for id, n := range g.q.Nodes {
			if _, ok := n.Op.(*nn.QPool); ok {
				g.q.Features = id
			}
		}
	}
	return g.q
}

func (g *generator) append(op nn.QOp, out nn.QTensor, inputs ...int) {
	n := nn.QNode{Name: fmt.Sprintf("%s%d", op.Kind(), len(g.q.Nodes)), Op: op, Inputs: inputs, Out: out}
	g.q.Nodes = append(g.q.Nodes, n)
}

// tensor draws scales and zero points for the output of an activation.
func (g *generator) tensor(s nn.Shape, f nn.Func) nn.QTensor {
	t := nn.QTensor{Shape: s, Scale: make([]float32, s.C), Zero: make([]int8, s.C)}
	extreme := g.oneIn(8)
	for c := range t.Scale {
		t.Scale[c] = float32(math.Exp(g.Float64()*6 - 6))
		if extreme {
			t.Scale[c] = float32(math.Exp(g.Float64()*136 - 68))
		}
		t.Zero[c] = int8(g.IntN(256) - 128)
		if f == nn.ReLU || f == nn.ReLU6 {
			t.Zero[c] = -128
		}
	}
	return t
}

// weights draws weights: any, all at one end, few.
func (g *generator) weights(n int) []int8 {
	w := make([]int8, n)
	mode := g.IntN(6)
	for i := range w {
		switch mode {
		case 0:
			w[i] = 127
		case 1:
			w[i] = -127
		case 2:
			w[i] = int8(g.IntN(3) - 1)
		default:
			w[i] = int8(g.IntN(255) - 127)
		}
	}
	return w
}

// bias draws biases for rows of taps weights; now and then as large as an int32
// accumulator allows. The bounds of the accumulators come back too.
func (g *generator) bias(weight []int8, taps, most int) (bias []int32, bound []float64) {
	n := len(weight) / taps
	bias, bound = make([]int32, n), make([]float64, n)
	extreme := g.oneIn(6)
	for o := range bias {
		sum := 0
		for _, w := range weight[o*taps : (o+1)*taps] {
			sum += most * int(max(w, -w))
		}
		room := math.MaxInt32 - sum
		b := g.IntN(1 + min(room, 2*taps*100))
		if extreme {
			b = room
		}
		if g.oneIn(2) {
			b = -b
		}
		bias[o] = int32(b)
		bound[o] = float64(sum + max(b, -b))
	}
	return bias, bound
}

// multipliers draws factors for values within bound: of a size that fills int8,
// powers of two (so that halves occur), tiny, huge, none.
func (g *generator) multipliers(bound []float64, most float64) []float32 {
	m := make([]float32, len(bound))
	mode := g.IntN(8)
	for o, b := range bound {
		b = max(b, 1)
		v := 0.0
		switch mode {
		case 0:
			v = math.Exp(-90 * g.Float64())
		case 1:
			v = math.Ldexp(1, 30) * 0.99 / b
		case 2:
			v = 0
		case 3, 4:
			v = math.Ldexp(1, -g.IntN(12))
		default:
			v = 400 * g.Float64() * g.Float64() / b * 10
		}
		v = min(v, 0.99*most/b)
		if g.oneIn(20) {
			v = -v
		}
		m[o] = float32(v)
	}
	return m
}

const maxSteps = 1 << 30

func (g *generator) conv(from int) {
	in := g.q.Nodes[from].Out.Shape
	for {
		w := nn.Window{
			In: in.C, Out: 1 + g.IntN(67), KernelH: 1 + g.IntN(5), KernelW: 1 + g.IntN(5), StrideH: 1 + g.IntN(2), StrideW: 1 + g.IntN(2),
			DilationH: 1 + g.IntN(2), DilationW: 1 + g.IntN(2), Groups: 1,
			Padding: nn.Padding{Top: g.IntN(4), Left: g.IntN(4), Bottom: g.IntN(4), Right: g.IntN(4)},
		}
		kind := "conv"
		switch g.IntN(6) {
		case 0, 1:
			kind, w.Out, w.Groups = "depthwise", in.C, in.C
		case 2:
			kind = "pointwise"
			w.KernelH, w.KernelW, w.StrideH, w.StrideW, w.Padding = 1, 1, 1, 1, nn.Padding{}
		case 3:
			w.Groups = divisor(g.Rand, in.C)
			w.Out = w.Groups * (1 + g.IntN(max(1, 40/w.Groups)))
			if w.Groups > 1 {
				kind = "grouped"
			}
		}
		if g.oneIn(3) { // the input's shape, for a residual
			w.Out, w.StrideH, w.StrideW, w.DilationH, w.DilationW = in.C, 1, 1, 1, 1
			w.Padding = nn.Padding{Top: (w.KernelH - 1) / 2, Left: w.KernelW / 2, Bottom: w.KernelH / 2, Right: (w.KernelW - 1) / 2}
		}
		out, err := w.Infer(in)
		if err != nil || w.MACs(out) > 200_000 {
			continue
		}
		op := &nn.QConv{Window: w, Act: []nn.Func{nn.Identity, nn.ReLU, nn.ReLU6, nn.HardSwish}[g.IntN(4)]}
		op.Weight = g.weights(w.Out * w.Taps())
		var bound []float64
		op.Bias, bound = g.bias(op.Weight, w.Taps(), 128)
		inputs := []int{from}
		for id, n := range g.q.Nodes {
			if n.Out.Shape == out && !g.oneIn(3) {
				op.Residual, inputs = true, []int{from, id}
				op.ResidualM = g.multipliers(constant(w.Out, 256), maxSteps/2)
				kind += "+residual"
				break
			}
		}
		op.Multiplier = g.multipliers(bound, maxSteps/2)
		g.kinds[kind]++
		g.kinds[op.Act.String()]++
		if w.DilationH > 1 && w.KernelH > 1 {
			g.kinds["dilation"]++
		}
		if w.StrideW > 1 && w.Padding.Left != w.Padding.Right {
			g.kinds["asymmetric stride"]++
		}
		g.append(op, g.tensor(out, op.Act), inputs...)
		return
	}
}

func (g *generator) squeezeExcite(from int) {
	in := g.q.Nodes[from].Out.Shape
	op := &nn.QSqueezeExcite{Squeezed: 1 + g.IntN(20), Gate: nn.HardSigmoid}
	if g.oneIn(2) {
		op.Gate = nn.Sigmoid
	}
	var bound []float64
	op.SqueezeM = g.multipliers(constant(in.C, float64(in.H*in.W*256)), maxSteps)
	op.Reduce = g.weights(op.Squeezed * in.C)
	op.ReduceBias, bound = g.bias(op.Reduce, in.C, 16383)
	op.ReduceM = g.multipliers(bound, maxSteps)
	op.Expand = g.weights(op.Squeezed * in.C)
	op.ExpandBias, bound = g.bias(op.Expand, op.Squeezed, 16383)
	op.ExpandM = g.multipliers(bound, 20)
	op.ScaleM = g.multipliers(constant(in.C, 256), maxSteps)
	g.kinds["se "+op.Gate.String()]++
	g.append(op, g.tensor(in, nn.Identity), from)
}

func (g *generator) add(from int) {
	in := g.q.Nodes[from].Out.Shape
	for id, n := range g.q.Nodes {
		if n.Out.Shape == in && (id != from || g.oneIn(4)) {
			op := &nn.QAdd{Act: []nn.Func{nn.Identity, nn.ReLU}[g.IntN(2)]}
			op.A = g.multipliers(constant(in.C, 256), maxSteps/2)
			op.B = g.multipliers(constant(in.C, 256), maxSteps/2)
			g.kinds["add"]++
			g.append(op, g.tensor(in, op.Act), from, id)
			return
		}
	}
}

func (g *generator) table(from int) {
	in := g.q.Nodes[from].Out.Shape
	op := &nn.QTable{Table: make([]int8, in.C*256)}
	for i := range op.Table {
		op.Table[i] = int8(g.IntN(256) - 128)
	}
	g.kinds["table"]++
	g.append(op, g.tensor(in, nn.Identity), from)
}

func (g *generator) pool(from int) {
	in := g.q.Nodes[from].Out.Shape
	op := &nn.QPool{Multiplier: g.multipliers(constant(in.C, float64(in.H*in.W*256)), maxSteps)}
	g.append(op, g.tensor(nn.Shape{H: 1, W: 1, C: in.C}, nn.Identity), from)
}

func (g *generator) linear(float bool) {
	from := len(g.q.Nodes) - 1
	op := &nn.QLinear{In: g.q.Nodes[from].Out.Shape.C, Out: 1 + g.IntN(67), Float: float}
	op.Weight = g.weights(op.In * op.Out)
	var bound []float64
	op.Bias, bound = g.bias(op.Weight, op.In, 128)
	op.Multiplier = g.multipliers(bound, maxSteps)
	out := nn.QTensor{Shape: nn.Shape{H: 1, W: 1, C: op.Out}}
	if !float {
		op.Act = []nn.Func{nn.Identity, nn.ReLU, nn.ReLU6, nn.HardSwish}[g.IntN(4)]
		out = g.tensor(out.Shape, op.Act)
	}
	g.append(op, out, from)
}

// fill draws an input: any bytes, or all at one end.
func (g *generator) fill(x []int8) {
	mode := g.IntN(4)
	for i := range x {
		switch mode {
		case 0:
			x[i] = -128
		case 1:
			x[i] = 127
		default:
			x[i] = int8(g.IntN(256) - 128)
		}
	}
}

func constant(n int, v float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func divisor(r *rand.Rand, n int) int {
	for {
		if d := 1 + r.IntN(n); n%d == 0 {
			return d
		}
	}
}
