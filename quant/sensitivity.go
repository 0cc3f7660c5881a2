package quant

import (
	"math"

	"github.com/seedge/seedge/nn"
)

// effect is how much of an error in one channel of a node, a small one that is
// independent of those in other channels, arrives at the network's outputs, by
// channel:
//
//	noise = sum over nodes and channels of effect[c] * E[error[c]^2]
//
// grain is for errors that differ from pixel to pixel at random, flat for those
// that are the same all over an image, which no pooling averages away.
type effect struct{ grain, flat []float64 }

// sensitivity estimates the effects of errors in every node. It goes from the
// outputs back: through a layer by the squares of its weights, or of their sum
// over the window if the error is flat; through an activation by the mean square
// of its slope; through a gate by the mean square of the gate. The noise is
// relative to the signal, of features and of logits alike.
func sensitivity(g *nn.Graph, seen *calibration) []effect {
	by := make([]effect, len(g.Nodes))
	for id, n := range g.Nodes {
		by[id] = effect{make([]float64, n.Shape.C), make([]float64, n.Shape.C)}
	}
	last := logitsNode(g)
	seed := func(id int) {
		total := 0.0
		for c := range by[id].flat {
			total += seen.nodes[id].square(c)
		}
		for c := range by[id].flat {
			by[id].flat[c] += 1 / math.Max(total, math.SmallestNonzeroFloat32)
			by[id].grain[c] += 1 / math.Max(total, math.SmallestNonzeroFloat32)
		}
	}
	for id := last; id > 0; id-- {
		if id == last || id == g.Features {
			seed(id)
		}
		n := g.Nodes[id]
		out, in := by[id], by[n.Inputs[0]]
		switch op := n.Op.(type) {
		case *nn.Conv2D:
			out.back(op.Window, op.Weight, in)
		case *nn.Linear:
			out.back(pointWindow(op.In, op.Out), op.Weight, in)
		case *nn.Activation:
			grain, flat := seen.slopes(n.Inputs[0], n.Shape.C, op.Func)
			for c := range grain {
				in.grain[c] += out.grain[c] * grain[c]
				in.flat[c] += out.flat[c] * flat[c]
			}
		case *nn.SqueezeExcite:
			for c := range out.flat {
				if e := seen.nodes[n.Inputs[0]].square(c); e > 0 {
					gate := seen.nodes[id].square(c) / e
					in.grain[c] += out.grain[c] * gate
					in.flat[c] += out.flat[c] * gate
				}
			}
		case *nn.GlobalAvgPool:
			s := g.Nodes[n.Inputs[0]].Shape
			for c := range out.flat {
				in.grain[c] += out.grain[c] / float64(s.H*s.W)
				in.flat[c] += out.flat[c]
			}
		case *nn.Add:
			other := by[n.Inputs[1]]
			for c := range out.flat {
				in.grain[c] += out.grain[c]
				in.flat[c] += out.flat[c]
				other.grain[c] += out.grain[c]
				other.flat[c] += out.flat[c]
			}
		}
	}
	return by
}

// back goes through a convolution: out is behind it, in before it.
func (out effect) back(w nn.Window, weight []float32, in effect) {
	per, outPer, taps := w.In/w.Groups, w.Out/w.Groups, w.Taps()
	for o := range out.flat {
		row := weight[o*taps : (o+1)*taps]
		for c := range per {
			sum, square := 0.0, 0.0
			for k := c; k < taps; k += per {
				sum += float64(row[k])
				square += float64(row[k]) * float64(row[k])
			}
			to := o/outPer*per + c
			in.grain[to] += out.grain[o] * square
			in.flat[to] += out.flat[o] * sum * sum
		}
	}
}

// slopes is, per channel, the mean square of an activation's slope over the
// samples of its input, node from, and the mean square of its mean over each
// image; 1 where no samples were kept.
func (c *calibration) slopes(from, channels int, f nn.Func) (grain, flat []float64) {
	grain, flat = make([]float64, channels), make([]float64, channels)
	one := make([]float64, channels)
	kept := c.kept[from]
	for _, v := range kept {
		clear(one)
		n := float64(len(v) / channels)
		for i, x := range v {
			d := slope(f, float64(x))
			one[i%channels] += d / n
			grain[i%channels] += d * d / n
		}
		for k, d := range one {
			flat[k] += d * d
		}
	}
	for k := range grain {
		if len(kept) == 0 {
			grain[k], flat[k] = 1, 1
		} else {
			grain[k] /= float64(len(kept))
			flat[k] /= float64(len(kept))
		}
	}
	return grain, flat
}

func slope(f nn.Func, x float64) float64 {
	switch f {
	case nn.ReLU:
		if x < 0 {
			return 0
		}
	case nn.ReLU6:
		if x < 0 || x > 6 {
			return 0
		}
	case nn.HardSwish:
		if x < -3 {
			return 0
		}
		if x < 3 {
			return (2*x + 3) / 6
		}
	case nn.HardSigmoid:
		if x < -3 || x > 3 {
			return 0
		}
		return 1.0 / 6
	case nn.Sigmoid:
		y := 1 / (1 + math.Exp(-x))
		return y * (1 - y)
	}
	return 1
}
