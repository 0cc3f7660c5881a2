package quant

import "github.com/seedge/seedge/nn"

// FoldBatchNorm returns the same network without batch norms, which are affine
// per channel at inference: one that is alone behind a convolution or a linear
// layer goes into its weights and bias,
//
//	W'[o,k] = f[o] * W[o,k],  B'[o] = f[o] * B[o] + d[o]
//
// with f = gamma / sqrt(var + eps) and d = beta - f * mean; any other becomes a
// 1x1 depthwise convolution. Weights are copied, names stay, and g is untouched.
func FoldBatchNorm(g *nn.Graph) (*nn.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	users := g.Consumers()
	out := nn.NewGraph(g.Input())
	moved := make([]int, len(g.Nodes)) // old index -> new
	for id, n := range g.Nodes[1:] {
		id++
		in := make([]int, len(n.Inputs))
		for i, from := range n.Inputs {
			in[i] = moved[from]
		}
		bn, isNorm := n.Op.(*nn.BatchNorm)
		if isNorm {
			if len(users[n.Inputs[0]]) == 1 && n.Inputs[0] != g.Features && foldInto(out.Nodes[in[0]].Op, bn) {
				moved[id] = in[0]
				continue
			}
			moved[id] = out.Add(n.Name, normAsConv(bn), in...)
			continue
		}
		moved[id] = out.Add(n.Name, copyOp(n.Op), in...)
	}
	out.Features = moved[g.Features]
	if err := out.Err(); err != nil {
		return nil, err
	}
	return out, out.Check()
}

// foldInto changes a copied convolution or linear layer; false if op is neither.
func foldInto(op nn.Op, bn *nn.BatchNorm) bool {
	var weight, bias *[]float32
	switch op := op.(type) {
	case *nn.Conv2D:
		if !op.HasBias {
			op.HasBias, op.Bias = true, make([]float32, op.Out)
		}
		weight, bias = &op.Weight, &op.Bias
	case *nn.Linear:
		weight, bias = &op.Weight, &op.Bias
	default:
		return false
	}
	taps := len(*weight) / bn.C
	for o := range bn.C {
		f, d := bn.Scale(o)
		row := (*weight)[o*taps : (o+1)*taps]
		for k, w := range row {
			row[k] = float32(f * float64(w))
		}
		(*bias)[o] = float32(f*float64((*bias)[o]) + d)
	}
	return true
}

func normAsConv(bn *nn.BatchNorm) nn.Op {
	c := &nn.Conv2D{Window: nn.Window{
		In: bn.C, Out: bn.C, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: bn.C,
	}, HasBias: true}
	for o := range bn.C {
		f, d := bn.Scale(o)
		c.Weight = append(c.Weight, float32(f))
		c.Bias = append(c.Bias, float32(d))
	}
	return c
}

// copyOp copies an operation and its parameters.
func copyOp(op nn.Op) nn.Op {
	var made nn.Op
	switch op := op.(type) {
	case *nn.Conv2D:
		c := *op
		made = &c
	case *nn.Linear:
		c := *op
		made = &c
	case *nn.SqueezeExcite:
		c := *op
		made = &c
	default:
		return op // no parameters to change
	}
	for _, p := range made.Params() {
		*p.Data = append([]float32(nil), *p.Data...)
	}
	return made
}
