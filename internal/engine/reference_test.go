package engine

import (
	"math"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// outcome is what the equations give: every int8 tensor, the logits and the
// embedding.
type outcome struct {
	tensors  [][]int8
	logits   []float32
	features []float32
}

// naive runs a network straight from docs/arithmetic.md, one output at a time,
// with nothing packed, fused or reused.
func naive(q *nn.Quantised, input []int8) outcome {
	r := outcome{tensors: make([][]int8, len(q.Nodes))}
	r.tensors[0] = input
	for id, n := range q.Nodes[1:] {
		id++
		in := q.Nodes[n.Inputs[0]].Out
		x := r.tensors[n.Inputs[0]]
		var other nn.QTensor
		var y []int8
		if len(n.Inputs) > 1 {
			other, y = q.Nodes[n.Inputs[1]].Out, r.tensors[n.Inputs[1]]
		}
		out := make([]int8, n.Out.Shape.Len())
		switch op := n.Op.(type) {
		case *nn.QConv:
			naiveConv(op, in, n.Out, other, x, y, out)
		case *nn.QLinear:
			if op.Float {
				out = nil
				for o := range op.Out {
					acc := op.Bias[o]
					for k, v := range x {
						acc += int32(op.Weight[o*op.In+k]) * int32(v)
					}
					r.logits = append(r.logits, float32(acc)*op.Multiplier[o])
				}
				break
			}
			for o := range op.Out {
				acc := op.Bias[o]
				for k, v := range x {
					acc += int32(op.Weight[o*op.In+k]) * int32(v)
				}
				out[o] = sat8(rne(naiveAct(op.Act, float32(acc)*op.Multiplier[o], n.Out.Scale[o])) + int(n.Out.Zero[o]))
			}
		case *nn.QPool:
			for c := range out {
				u := float32(channelSum(in, x, c)) * op.Multiplier[c]
				out[c] = sat8(rne(u) + int(n.Out.Zero[c]))
			}
			if id == q.Features {
				for c := range out {
					r.features = append(r.features, float32(channelSum(in, x, c))*float32(op.Multiplier[c]*n.Out.Scale[c]))
				}
			}
		case *nn.QSqueezeExcite:
			naiveSqueezeExcite(op, in, n.Out, x, out)
		case *nn.QAdd:
			for i := range out {
				c := i % in.Shape.C
				u := float32(float32(int(x[i])-int(in.Zero[c]))*op.A[c]) + float32(float32(int(y[i])-int(other.Zero[c]))*op.B[c])
				out[i] = sat8(rne(u) + int(n.Out.Zero[c]))
			}
		case *nn.QTable:
			for i := range out {
				out[i] = op.Table[i%in.Shape.C*256+int(x[i])+128]
			}
		}
		r.tensors[id] = out
	}
	if r.features == nil && q.Features != 0 {
		t := q.Nodes[q.Features].Out
		for i, v := range r.tensors[q.Features] {
			c := i % t.Shape.C
			r.features = append(r.features, t.Scale[c]*float32(int(v)-int(t.Zero[c])))
		}
	}
	if q.Features == len(q.Nodes)-1 {
		r.features = r.logits
	}
	return r
}

func naiveConv(op *nn.QConv, in, to, residual nn.QTensor, x, y, out []int8) {
	h, w := in.Shape.H, in.Shape.W
	perGroup := op.In / op.Groups
	for i := range out {
		o := i % op.Out
		oy, ox := i/op.Out/to.Shape.W, i/op.Out%to.Shape.W
		acc := op.Bias[o]
		for ky := range op.KernelH {
			for kx := range op.KernelW {
				for k := range perGroup {
					c := o/(op.Out/op.Groups)*perGroup + k
					sy := oy*op.StrideH + ky*op.DilationH - op.Padding.Top
					sx := ox*op.StrideW + kx*op.DilationW - op.Padding.Left
					v := in.Zero[c]
					if sy >= 0 && sy < h && sx >= 0 && sx < w {
						v = x[(sy*w+sx)*op.In+c]
					}
					acc += int32(op.Weight[((o*op.KernelH+ky)*op.KernelW+kx)*perGroup+k]) * int32(v)
				}
			}
		}
		u := float32(float32(acc) * op.Multiplier[o])
		if op.Residual {
			u += float32(float32(int(y[i])-int(residual.Zero[o])) * op.ResidualM[o])
		}
		out[i] = sat8(rne(naiveAct(op.Act, u, to.Scale[o])) + int(to.Zero[o]))
	}
}

func naiveAct(f nn.Func, u, scale float32) float32 {
	switch f {
	case nn.ReLU6:
		return float32(math.Min(float64(u), float64(float32(6/scale))))
	case nn.HardSwish:
		g := float32(scale / 6)
		v := float32(u*g) + 0.5
		return u * float32(math.Min(math.Max(float64(v), 0), 1))
	}
	return u
}

func naiveSqueezeExcite(op *nn.QSqueezeExcite, in, to nn.QTensor, x, out []int8) {
	channels := in.Shape.C
	p, h, gate := make([]int16, channels), make([]int16, op.Squeezed), make([]float32, channels)
	for c := range p {
		p[c] = int16(min(max(rne(float32(channelSum(in, x, c))*op.SqueezeM[c]), -16383), 16383))
	}
	for j := range h {
		acc := op.ReduceBias[j]
		for c := range p {
			acc += int32(op.Reduce[j*channels+c]) * int32(p[c])
		}
		h[j] = int16(min(max(rne(float32(acc)*op.ReduceM[j]), 0), 16383))
	}
	for c := range gate {
		acc := op.ExpandBias[c]
		for j := range h {
			acc += int32(op.Expand[c*op.Squeezed+j]) * int32(h[j])
		}
		v := float32(float32(acc) * op.ExpandM[c])
		if op.Gate == nn.Sigmoid {
			gate[c] = kernel.Sigmoid(v)
		} else {
			gate[c] = float32(math.Min(math.Max(float64(v+0.5), 0), 1))
		}
	}
	for i := range out {
		c := i % channels
		u := float32(int(x[i])-int(in.Zero[c])) * float32(op.ScaleM[c]*gate[c])
		out[i] = sat8(rne(u) + int(to.Zero[c]))
	}
}

func channelSum(in nn.QTensor, x []int8, c int) int32 {
	var sum int32
	for i := c; i < len(x); i += in.Shape.C {
		sum += int32(x[i])
	}
	return sum - int32(in.Shape.H*in.Shape.W)*int32(in.Zero[c])
}

func rne(x float32) int { return int(math.RoundToEven(float64(x))) }

func sat8(v int) int8 { return int8(min(max(v, -128), 127)) }
