package engine

import (
	"fmt"
	"slices"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// lower chooses the kernel for a node of a checked network and packs its
// parameters.
func lower(q *nn.Quantised, id int, isa kernel.ISA) (operation, error) {
	n := q.Nodes[id]
	in := q.Nodes[n.Inputs[0]].Out
	switch op := n.Op.(type) {
	case *nn.QConv:
		return lowerConv(q, op, n, in, isa)
	case *nn.QLinear:
		return lowerLinear(op, n.Out, isa)
	case *nn.QPool:
		return lowerPool(op, in, n.Out, id == q.Features, isa), nil
	case *nn.QSqueezeExcite:
		return lowerSqueezeExcite(op, in, n.Out, isa), nil
	case *nn.QAdd:
		return &addOp{pixels: in.Shape.H * in.Shape.W, Add: kernel.Add{
			A: slices.Clone(op.A), B: slices.Clone(op.B),
			ZeroA: slices.Clone(in.Zero), ZeroB: slices.Clone(q.Nodes[n.Inputs[1]].Out.Zero), Zero: slices.Clone(n.Out.Zero),
			Flip: isa.Flip(),
		}}, nil
	case *nn.QTable:
		return &tableOp{table: kernel.PackTable(isa, op.Table), pixels: in.Shape.H * in.Shape.W, channels: in.Shape.C}, nil
	}
	return nil, fmt.Errorf("the engine has no kernel for operation %q", n.Op.Kind())
}

func lowerConv(q *nn.Quantised, op *nn.QConv, n nn.QNode, in nn.QTensor, isa kernel.ISA) (operation, error) {
	e, err := epilogue(op.Act, op.Multiplier, n.Out)
	if err != nil {
		return nil, err
	}
	if op.Residual {
		e.ResidualM = slices.Clone(op.ResidualM)
		e.ResidualZero = slices.Clone(q.Nodes[n.Inputs[1]].Out.Zero)
	}
	if op.Pointwise() {
		pixels := in.Shape.H * in.Shape.W
		return &pointwiseOp{pixels, kernel.PackGEMM(isa, pixels, op.Weight, op.Bias, op.Out, op.In, &e)}, nil
	}
	g := kernel.Geometry{
		InH: in.Shape.H, InW: in.Shape.W, InC: op.In,
		OutH: n.Out.Shape.H, OutW: n.Out.Shape.W, OutC: op.Out,
		KernelH: op.KernelH, KernelW: op.KernelW, StrideH: op.StrideH, StrideW: op.StrideW,
		DilationH: op.DilationH, DilationW: op.DilationW, Top: op.Padding.Top, Left: op.Padding.Left, Groups: op.Groups,
	}
	switch {
	case op.Depthwise():
		return &depthwiseOp{g, kernel.PackDepthwiseConv(isa, g, op.Weight, op.Bias, slices.Clone(in.Zero), &e)}, nil
	case op.Groups == 1:
		return &convOp{g, kernel.PackDenseConv(isa, g, op.Weight, op.Bias, in.Zero, &e)}, nil
	}
	return &groupedOp{geometry: g, conv: kernel.PackGroupedConv(isa, g, op.Weight, op.Bias, in.Zero, &e)}, nil
}

func lowerLinear(op *nn.QLinear, out nn.QTensor, isa kernel.ISA) (operation, error) {
	if op.Float {
		return &logitsOp{product: kernel.PackLogits(isa, op.Weight, op.Bias, op.Out, op.In, slices.Clone(op.Multiplier))}, nil
	}
	e, err := epilogue(op.Act, op.Multiplier, out)
	if err != nil {
		return nil, err
	}
	return &pointwiseOp{1, kernel.PackGEMM(isa, 1, op.Weight, op.Bias, op.Out, op.In, &e)}, nil
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

func lowerSqueezeExcite(op *nn.QSqueezeExcite, in, out nn.QTensor, isa kernel.ISA) operation {
	return &squeezeExciteOp{SqueezeExcitation: kernel.PackSqueezeExcite(isa, kernel.SqueezeExcite{
		SqueezeM: slices.Clone(op.SqueezeM),
		Reduce:   slices.Clone(op.Reduce), ReduceBias: slices.Clone(op.ReduceBias), ReduceM: slices.Clone(op.ReduceM),
		Expand: slices.Clone(op.Expand), ExpandBias: slices.Clone(op.ExpandBias), ExpandM: slices.Clone(op.ExpandM),
		Sigmoid: op.Gate == nn.Sigmoid, ScaleM: slices.Clone(op.ScaleM),
		InZero: slices.Clone(in.Zero), OutZero: slices.Clone(out.Zero),
	})}
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
