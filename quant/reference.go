package quant

import (
	"fmt"
	"math"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// Reference runs an int8 network with plain loops, one image at a time. It is
// the specification of docs/arithmetic.md: the engine and every kernel must give
// its bytes. Not safe for concurrent use.
type Reference struct {
	net    *nn.Quantised
	data   [][]int8
	logits []float32
}

// NewReference checks the network.
func NewReference(q *nn.Quantised) (*Reference, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	r := &Reference{net: q, data: make([][]int8, len(q.Nodes)), logits: make([]float32, q.Output().Out.Shape.Len())}
	for id, n := range q.Nodes {
		r.data[id] = make([]int8, n.Out.Shape.Len())
	}
	return r, nil
}

// Run computes every node for one quantised image, NHWC, and returns the logits,
// valid until the next Run.
func (r *Reference) Run(image []int8) ([]float32, error) {
	if len(image) != len(r.data[0]) {
		return nil, fmt.Errorf("quant: the image has %d values, want %d (%s)", len(image), len(r.data[0]), r.net.Nodes[0].Out.Shape)
	}
	copy(r.data[0], image)
	for id := 1; id < len(r.net.Nodes); id++ {
		r.compute(id)
	}
	return r.logits, nil
}

// Output returns node id's int8 output of the latest Run.
func (r *Reference) Output(id int) []int8 { return r.data[id] }

// Features returns the embedding of the latest Run in float32: a pooled node
// before its rounding (docs/arithmetic.md, section 3), any other by equation 1;
// nil where the network names none.
func (r *Reference) Features() []float32 {
	if r.net.Features == 0 {
		return nil
	}
	n := r.net.Nodes[r.net.Features]
	out := make([]float32, n.Out.Shape.Len())
	if pool, ok := n.Op.(*nn.QPool); ok {
		in := r.net.Nodes[n.Inputs[0]].Out
		for c, sum := range channelSums(r.data[n.Inputs[0]], in) {
			out[c] = float32(sum) * float32(pool.Multiplier[c]*n.Out.Scale[c])
		}
		return out
	}
	for i, q := range r.data[r.net.Features] {
		c := i % n.Out.Shape.C
		out[i] = float32(int32(q)-int32(n.Out.Zero[c])) * n.Out.Scale[c]
	}
	return out
}

func (r *Reference) compute(id int) {
	n := r.net.Nodes[id]
	in := r.net.Nodes[n.Inputs[0]].Out
	x, y := r.data[n.Inputs[0]], r.data[id]
	switch op := n.Op.(type) {
	case *nn.QConv:
		var residual []int8
		var zeros []int8
		if op.Residual {
			residual, zeros = r.data[n.Inputs[1]], r.net.Nodes[n.Inputs[1]].Out.Zero
		}
		accumulate(op, x, in, n.Out.Shape, func(at int, acc []int32) {
			for o, a := range acc {
				u := float32(a) * op.Multiplier[o] // (3)
				if op.Residual {
					u += float32(float32(int32(residual[at+o])-int32(zeros[o])) * op.ResidualM[o]) // (3r)
				}
				y[at+o] = saturate(activate(op.Act, u, n.Out.Scale[o]), n.Out.Zero[o])
			}
		})
	case *nn.QLinear:
		for o := range op.Out {
			acc := op.Bias[o] + dot(x, op.Weight[o*op.In:(o+1)*op.In]) // (2)
			u := float32(acc) * op.Multiplier[o]                       // (3), (6)
			if op.Float {
				r.logits[o] = u
			} else {
				y[o] = saturate(activate(op.Act, u, n.Out.Scale[o]), n.Out.Zero[o])
			}
		}
	case *nn.QPool:
		for c, sum := range channelSums(x, in) {
			y[c] = saturate(float32(sum)*op.Multiplier[c], n.Out.Zero[c]) // (7)
		}
	case *nn.QSqueezeExcite:
		gates := excite(op, channelSums(x, in))
		for i, q := range x {
			c := i % in.Shape.C
			y[i] = saturate(float32(int32(q)-int32(in.Zero[c]))*float32(op.ScaleM[c]*gates[c]), n.Out.Zero[c]) // (11)
		}
	case *nn.QAdd:
		other, b := r.data[n.Inputs[1]], r.net.Nodes[n.Inputs[1]].Out
		for i, q := range x {
			c := i % in.Shape.C
			u := float32(float32(int32(q)-int32(in.Zero[c])) * op.A[c])
			u += float32(float32(int32(other[i])-int32(b.Zero[c])) * op.B[c])
			y[i] = saturate(u, n.Out.Zero[c]) // (12)
		}
	case *nn.QTable:
		for i, q := range x {
			y[i] = op.Table[i%in.Shape.C*256+int(q)+128] // (13)
		}
	}
}

// saturate is equation 5's rounding.
func saturate(a float32, zero int8) int8 {
	q := int32(math.RoundToEven(float64(a))) + int32(zero)
	return int8(min(max(q, -128), 127))
}

// activate is equation 4, in output steps of size step.
func activate(f nn.Func, u, step float32) float32 {
	switch f {
	case nn.ReLU6:
		return min(u, 6/step)
	case nn.HardSwish:
		gain := step / 6
		return u * min(max(float32(u*gain)+0.5, 0), 1)
	}
	return u // identity; ReLU is the saturation at zero point -128
}

// accumulate is equation 2 for every output position: it calls emit with the
// index of the position's first output element and the accumulators.
func accumulate(c *nn.QConv, x []int8, in nn.QTensor, out nn.Shape, emit func(at int, acc []int32)) {
	patch := make([]int8, c.KernelH*c.KernelW*c.In)
	acc := make([]int32, c.Out)
	for oy := range out.H {
		for ox := range out.W {
			gather(c, x, in, oy, ox, patch)
			products(c, patch, acc)
			emit((oy*out.W+ox)*c.Out, acc)
		}
	}
}

// gather copies the input under the window, [KernelH][KernelW][In]; outside the
// image lies the zero point.
func gather(c *nn.QConv, x []int8, in nn.QTensor, oy, ox int, patch []int8) {
	for i := range c.KernelH {
		for j := range c.KernelW {
			to := patch[(i*c.KernelW+j)*c.In:][:c.In]
			sy := oy*c.StrideH + i*c.DilationH - c.Padding.Top
			sx := ox*c.StrideW + j*c.DilationW - c.Padding.Left
			if sy < 0 || sx < 0 || sy >= in.Shape.H || sx >= in.Shape.W {
				copy(to, in.Zero)
			} else {
				copy(to, x[(sy*in.Shape.W+sx)*c.In:])
			}
		}
	}
}

func products(c *nn.QConv, patch []int8, acc []int32) {
	positions, taps := c.KernelH*c.KernelW, c.Taps()
	copy(acc, c.Bias)
	if c.Depthwise() {
		for p := range positions {
			for o, q := range patch[p*c.In : (p+1)*c.In] {
				acc[o] += int32(q) * int32(c.Weight[o*taps+p])
			}
		}
		return
	}
	per, outPer := c.In/c.Groups, c.Out/c.Groups
	for o := range acc {
		group := o / outPer
		for p := range positions {
			acc[o] += dot(patch[p*c.In+group*per:][:per], c.Weight[o*taps+p*per:][:per])
		}
	}
}

func dot(x, w []int8) int32 {
	var a, b int32
	w = w[:len(x)]
	k := 0
	for ; k+2 <= len(x); k += 2 {
		a += int32(x[k]) * int32(w[k])
		b += int32(x[k+1]) * int32(w[k+1])
	}
	if k < len(x) {
		a += int32(x[k]) * int32(w[k])
	}
	return a + b
}

// channelSums is sum(q) - n*zero per channel, as equations 7 and 8 use it.
func channelSums(x []int8, in nn.QTensor) []int32 {
	sums := make([]int32, in.Shape.C)
	for i, q := range x {
		c := i % in.Shape.C
		sums[c] += int32(q) - int32(in.Zero[c])
	}
	return sums
}

// excite is equations 8 to 10: from the squeezed sums to the gates.
func excite(s *nn.QSqueezeExcite, sums []int32) []float32 {
	p := make([]int32, len(sums))
	for c, sum := range sums {
		p[c] = clamp(float32(sum)*s.SqueezeM[c], -nn.MaxSqueeze) // (8)
	}
	h := make([]int32, s.Squeezed)
	for j := range h {
		acc := s.ReduceBias[j]
		for c, v := range p {
			acc += int32(s.Reduce[j*len(p)+c]) * v
		}
		h[j] = clamp(float32(acc)*s.ReduceM[j], 0) // (9)
	}
	gates := make([]float32, len(sums))
	for c := range gates {
		acc := s.ExpandBias[c]
		for j, v := range h {
			acc += int32(s.Expand[c*len(h)+j]) * v
		}
		v := float32(float32(acc) * s.ExpandM[c])
		if s.Gate == nn.HardSigmoid {
			gates[c] = min(max(v+0.5, 0), 1) // (10)
		} else {
			gates[c] = kernel.Sigmoid(v)
		}
	}
	return gates
}

func clamp(v float32, least int32) int32 {
	return min(max(int32(math.RoundToEven(float64(v))), least), nn.MaxSqueeze)
}
