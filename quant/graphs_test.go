package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

// fill gives every parameter of a graph plausible random values: weights by
// their fan-in, batch norms near identity.
func fill(g *nn.Graph, r *rand.Rand) *nn.Graph {
	for _, n := range g.Nodes[1:] {
		for _, p := range n.Op.Params() {
			v := make([]float32, p.Len())
			fan := 1
			for _, d := range p.Shape[1:] {
				fan *= d
			}
			for i := range v {
				x := r.NormFloat64()
				switch {
				case len(p.Shape) > 1:
					x *= math.Sqrt(2 / float64(fan))
				case p.Name == "running_var" || p.Name == "weight":
					x = math.Exp(0.3 * x)
				default:
					x *= 0.2
				}
				v[i] = float32(x)
			}
			*p.Data = v
		}
	}
	return g
}

func conv(in, out, k, stride, groups int, pad nn.Padding, bias bool) *nn.Conv2D {
	return &nn.Conv2D{Window: nn.Window{
		In: in, Out: out, KernelH: k, KernelW: k, StrideH: stride, StrideW: stride,
		DilationH: 1, DilationW: 1, Groups: groups, Padding: pad,
	}, HasBias: bias}
}

// randomGraph mixes everything that can be quantised: convolutions of all
// kinds, batch norms that fold and one that cannot, residuals that a projection
// takes up and one that none can, squeeze-and-excitation with both gates, and
// activations that fuse and that stand alone.
func randomGraph(t *testing.T, seed uint64) *nn.Graph {
	r := rand.New(rand.NewPCG(seed, 7))
	c, wide := 3+r.IntN(9), 4+r.IntN(20)
	g := nn.NewGraph(nn.Shape{H: 5 + r.IntN(8), W: 5 + r.IntN(8), C: 3})
	add := g.Add
	x := add("stem", conv(3, c, 3, 2, 1, nn.Padding{Top: 0, Left: 0, Bottom: 1, Right: 1}, false), 0)
	x = add("stem.bn", &nn.BatchNorm{C: c, Eps: 1e-3}, x)
	x = add("stem.act", &nn.Activation{Func: nn.HardSwish}, x)
	y := add("expand", conv(c, wide, 1, 1, 1, nn.Padding{}, r.IntN(2) == 0), x)
	y = add("expand.bn", &nn.BatchNorm{C: wide, Eps: 1e-5}, y)
	y = add("expand.act", &nn.Activation{Func: []nn.Func{nn.ReLU, nn.ReLU6, nn.HardSwish}[r.IntN(3)]}, y)
	dw := conv(wide, wide, 3, 1, wide, nn.Pad(2), true)
	dw.DilationH, dw.DilationW = 2, 2
	y = add("depthwise", dw, y)
	y = add("depthwise.act", &nn.Activation{Func: nn.ReLU}, y)
	y = add("se", &nn.SqueezeExcite{C: wide, Squeezed: 4, Inner: nn.ReLU, Gate: []nn.Func{nn.HardSigmoid, nn.Sigmoid}[r.IntN(2)]}, y)
	y = add("project", conv(wide, c, 1, 1, 1, nn.Padding{}, true), y)
	x = add("residual", &nn.Add{}, y, x)
	z := add("alone.act", &nn.Activation{Func: nn.Sigmoid}, x) // the residual has two readers
	z = add("alone.bn", &nn.BatchNorm{C: c, Eps: 1e-3}, z)
	x = add("sum", &nn.Add{}, x, z)
	x = add("sum.act", &nn.Activation{Func: nn.ReLU}, x)
	x = add("pool", &nn.GlobalAvgPool{}, x)
	g.Features = x
	x = add("hidden", &nn.Linear{In: c, Out: 17}, x)
	x = add("hidden.act", &nn.Activation{Func: nn.HardSwish}, x)
	x = add("classifier", &nn.Linear{In: 17, Out: 5}, x)
	add("softmax", &nn.Softmax{}, x)
	require.NoError(t, g.Err())
	return fill(g, r)
}

// pixels are random 8-bit images, smooth enough that neighbours resemble each
// other, normalised by input.
var input = Input{Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}}

func pixels(s nn.Shape, n int, seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([][]float32, n)
	for i := range out {
		base, slope := r.Float64()*255, r.NormFloat64()*10
		for k := range s.Len() {
			v := math.RoundToEven(min(max(base+slope*float64(k/s.C%s.W)+20*r.NormFloat64(), 0), 255))
			out[i] = append(out[i], (float32(v)/255-input.Mean[k%3])/input.Std[k%3])
		}
	}
	return out
}

func sequence(images [][]float32) Images {
	return func(yield func([]float32, error) bool) {
		for _, v := range images {
			if !yield(v, nil) {
				return
			}
		}
	}
}
