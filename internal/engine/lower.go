package engine

import (
	"fmt"
	"slices"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// compiler turns a checked network into the steps of a Program.
type compiler struct {
	q       *nn.Quantised
	isa     kernel.ISA
	program *Program
	limits  bands
	groups  groups
	squeeze map[int]int // of each squeeze-and-excitation node, which of the session's it is
}

// node adds the steps that compute node id.
func (c *compiler) node(id int) error {
	n := c.q.Nodes[id]
	in := c.q.Nodes[n.Inputs[0]].Out
	switch op := n.Op.(type) {
	case *nn.QConv:
		return c.conv(id, op)
	case *nn.QLinear:
		if op.Float {
			c.add(id, &logitsOp{product: kernel.PackLogits(c.isa, op.Weight, op.Bias, op.Out, op.In, slices.Clone(op.Multiplier))}, n.Inputs)
			return nil
		}
		e, err := epilogue(op.Act, op.Multiplier, n.Out)
		if err != nil {
			return err
		}
		c.add(id, newPointwiseOp(1, kernel.PackGEMM(c.isa, 1, op.Weight, op.Bias, op.Out, op.In, &e)), n.Inputs)
	case *nn.QPool:
		c.add(id, lowerPool(op, in, n.Out, id == c.q.Features, c.isa), n.Inputs)
	case *nn.QSqueezeExcite:
		c.squeezeExcite(id, op)
	case *nn.QAdd:
		c.add(id, &addOp{pixels: in.Shape.H * in.Shape.W, Add: kernel.Add{
			A: slices.Clone(op.A), B: slices.Clone(op.B),
			ZeroA: slices.Clone(in.Zero), ZeroB: slices.Clone(c.q.Nodes[n.Inputs[1]].Out.Zero), Zero: slices.Clone(n.Out.Zero),
			Flip: c.isa.Flip(),
		}}, n.Inputs)
	case *nn.QTable:
		c.add(id, &tableOp{table: kernel.PackTable(c.isa, op.Table), pixels: in.Shape.H * in.Shape.W, channels: in.Shape.C}, n.Inputs)
	default:
		return fmt.Errorf("the engine has no kernel for operation %q", n.Op.Kind())
	}
	return nil
}

// add appends a step that computes node id, and others before it, from the
// tensors of inputs.
func (c *compiler) add(id int, op operation, inputs []int, others ...int) {
	s := step{node: id, out: c.q.Nodes[id].Out.Shape, inputs: slices.Clone(inputs), op: op}
	for _, other := range append(others, id) {
		if s.name != "" {
			s.name += " + "
		}
		s.name += c.q.Nodes[other].Name
		s.macs += c.q.Cost(other).MACs
	}
	c.append(s)
}

func (c *compiler) append(s step) {
	w := work{macs: s.macs, bytes: int64(s.out.Len()), row: s.out.H*s.out.W == 1}
	for _, from := range s.inputs {
		w.bytes += int64(c.program.shapes[from].Len())
	}
	s.most = min(s.op.units(), worthwhile(c.isa, w))
	c.program.steps = append(c.program.steps, s)
	c.program.scratch.grow(s.op.needs())
}

func (c *compiler) conv(id int, op *nn.QConv) error {
	if c.groups.absorbed[id] {
		return nil // another node's step computes it
	}
	n := c.q.Nodes[id]
	if b, ok := c.groups.bands[id]; ok {
		return c.band(id, b)
	}
	in := c.q.Nodes[n.Inputs[0]].Out
	if op.Pointwise() {
		product, err := c.product(id)
		if err != nil {
			return err
		}
		if se, ok := c.groups.scaled[id]; ok {
			before := c.q.Nodes[se].Inputs[0]
			c.add(id, newScaledOp(c.excitation(se, c.groups.packed[se]), product), append([]int{before}, n.Inputs[1:]...))
			return nil
		}
		c.add(id, newPointwiseOp(in.Shape.H*in.Shape.W, product), n.Inputs)
		return nil
	}
	e, err := c.convEpilogue(n, op)
	if err != nil {
		return err
	}
	g := geometry(op, in.Shape, n.Out.Shape)
	if op.Groups == 1 {
		c.add(id, &convOp{geometry: g, conv: kernel.PackDenseConv(c.isa, g, op.Weight, op.Bias, in.Zero, &e)}, n.Inputs)
		return nil
	}
	c.add(id, &groupedOp{geometry: g, conv: kernel.PackGroupedConv(c.isa, g, op.Weight, op.Bias, in.Zero, &e)}, n.Inputs)
	return nil
}

// band adds a depthwise convolution with what is computed together with it. id is
// the last node.
func (c *compiler) band(id int, b band) error {
	n := c.q.Nodes[b.depthwise]
	op := n.Op.(*nn.QConv)
	in := c.q.Nodes[n.Inputs[0]].Out
	g := geometry(op, in.Shape, n.Out.Shape)
	o := &bandOp{name: "depthwise", band: g.OutH, squeeze: -1}
	inputs, others := n.Inputs, []int(nil)
	var err error
	if b.expand != 0 {
		o.name, o.band = "expand "+o.name, c.limits.rows(&g)
		g.Ring = min(window(&g)+(o.band-1)*g.StrideH, g.InH)
		if o.expand, err = c.product(b.expand); err != nil {
			return err
		}
		inputs, others = c.q.Nodes[b.expand].Inputs, append(others, b.expand)
	}
	if b.project != 0 {
		o.name, o.band = o.name+" project", c.limits.rows(&g)
		if o.project, err = c.product(b.project); err != nil {
			return err
		}
		inputs, others = append(slices.Clone(inputs), c.q.Nodes[b.project].Inputs[1:]...), append(others, b.depthwise)
	}
	e, err := c.convEpilogue(n, op)
	if err != nil {
		return err
	}
	o.geometry = g
	o.depthwise = kernel.PackDepthwiseConv(c.isa, g, op.Weight, op.Bias, slices.Clone(in.Zero), &e)
	if b.expand == 0 && b.project == 0 && o.depthwise.Parts() > g.OutH {
		c.add(id, &channelsOp{conv: o.depthwise}, inputs)
		return nil
	}
	if b.squeeze != 0 {
		o.squeeze = c.squeeze[b.squeeze]
		o.name += " squeeze"
		c.groups.summed[b.squeeze] = true
	}
	c.add(id, o, inputs, others...)
	return nil
}

// product packs a pointwise convolution.
func (c *compiler) product(id int) (*kernel.GEMM, error) {
	n := c.q.Nodes[id]
	op := n.Op.(*nn.QConv)
	e, err := c.convEpilogue(n, op)
	if err != nil {
		return nil, err
	}
	return kernel.PackGEMM(c.isa, n.Out.Shape.H*n.Out.Shape.W, op.Weight, op.Bias, op.Out, op.In, &e), nil
}

func (c *compiler) convEpilogue(n nn.QNode, op *nn.QConv) (kernel.Epilogue, error) {
	e, err := epilogue(op.Act, op.Multiplier, n.Out)
	if err == nil && op.Residual {
		e.ResidualM = slices.Clone(op.ResidualM)
		e.ResidualZero = slices.Clone(c.q.Nodes[n.Inputs[1]].Out.Zero)
	}
	return e, err
}

func geometry(op *nn.QConv, in, out nn.Shape) kernel.Geometry {
	return kernel.Geometry{
		InH: in.H, InW: in.W, InC: op.In,
		OutH: out.H, OutW: out.W, OutC: op.Out,
		KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
		DilationH: op.DilationH, DilationW: op.DilationW, Top: op.Padding.Top, Left: op.Padding.Left, Groups: op.Groups,
	}
}

func lowerPool(op *nn.QPool, in, out nn.QTensor, embedding bool, isa kernel.ISA) operation {
	p := &poolOp{summer: kernel.NewSummer(isa, slices.Clone(in.Zero)), outZero: slices.Clone(out.Zero), multiplier: slices.Clone(op.Multiplier), flip: isa.Flip()}
	if embedding {
		p.embedding = make([]float32, out.Shape.C)
		for c, m := range op.Multiplier {
			p.embedding[c] = m * out.Scale[c]
		}
	}
	return p
}

// squeezeExcite adds the steps from the sums to the gate, without those that a
// convolution before or after them takes over.
func (c *compiler) squeezeExcite(id int, op *nn.QSqueezeExcite) {
	n := c.q.Nodes[id]
	before := n.Inputs[0]
	in := c.q.Nodes[before].Out
	e := c.excitation(id, kernel.PackSqueezeExcite(c.isa, kernel.SqueezeExcite{
		SqueezeM: slices.Clone(op.SqueezeM),
		Reduce:   slices.Clone(op.Reduce), ReduceBias: slices.Clone(op.ReduceBias), ReduceM: slices.Clone(op.ReduceM),
		Expand: slices.Clone(op.Expand), ExpandBias: slices.Clone(op.ExpandBias), ExpandM: slices.Clone(op.ExpandM),
		Sigmoid: op.Gate == nn.Sigmoid, ScaleM: slices.Clone(op.ScaleM),
		InZero: slices.Clone(in.Zero), OutZero: slices.Clone(n.Out.Zero),
	}))
	c.groups.packed[id] = e.SqueezeExcitation
	c.program.squeezes = append(c.program.squeezes, squeezeSize{in.Shape.C, op.Squeezed})
	outer, inner := nn.Shape{H: 1, W: 1, C: in.Shape.C}, nn.Shape{H: 1, W: 1, C: op.Squeezed}
	if e.sums = !c.groups.summed[id] && in.Shape.Len() <= sumsAtOnce; !e.sums && !c.groups.summed[id] {
		c.append(step{name: n.Name + ".squeeze", node: none, out: outer, op: &sumsOp{e}, inputs: []int{before}})
	}
	var reads []int // tensors, by the first part alone
	if e.sums {
		reads = []int{before}
	}
	part := func(name string, op operation, vector, out nn.Shape, macs int) {
		c.append(step{name: n.Name + name, node: none, out: out, vector: vector, macs: int64(macs), op: op, inputs: reads})
		reads = nil
	}
	half := len(op.Reduce)
	if e.ReducePanels() > 1 && e.ExpandPanels() > 1 && worthwhile(c.isa, work{macs: int64(half), row: true}) > 1 {
		part(".reduce", &reduceOp{e}, outer, inner, half)
		part(".expand", &expandOp{e}, inner, outer, half)
	} else {
		part(".gate", &gateOp{excitation: e}, outer, outer, 2*half)
	}
	if !c.groups.absorbed[id] {
		c.append(step{name: n.Name + ".scale", node: id, out: n.Out.Shape, op: &rescaleOp{excitation: e}, inputs: []int{before}})
	}
}

func (c *compiler) excitation(id int, k *kernel.SqueezeExcitation) excitation {
	in := c.q.Nodes[id].Out.Shape
	return excitation{SqueezeExcitation: k, index: c.squeeze[id], pixels: in.H * in.W, input: c.q.Nodes[id].Inputs[0]}
}

func epilogue(f nn.Func, multiplier []float32, out nn.QTensor) (kernel.Epilogue, error) {
	act, ok := map[nn.Func]kernel.Activation{
		nn.Identity: kernel.Identity, nn.ReLU: kernel.ReLU, nn.ReLU6: kernel.ReLU6, nn.HardSwish: kernel.HardSwish,
	}[f]
	if !ok {
		return kernel.Epilogue{}, fmt.Errorf("no kernel ends in activation %v, want identity, relu, relu6 or hard_swish", f)
	}
	return kernel.NewEpilogue(act, slices.Clone(multiplier), out.Scale, slices.Clone(out.Zero)), nil
}
