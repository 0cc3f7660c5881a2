package modelfile

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/x448/float16"

	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

func testSpec(h, w int) preprocess.Spec {
	return preprocess.Spec{
		Resize: 16, Height: h, Width: w, Interpolation: "bilinear",
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}
}

func window(in, out, kernel, stride, groups int) nn.Window {
	return nn.Window{
		In: in, Out: out, KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride,
		DilationH: 1, DilationW: 1, Groups: groups, Padding: nn.Pad(kernel / 2),
	}
}

// floatModel has every float operation, and weights that are halves when the
// precision is fp16.
func floatModel(t testing.TB, p Precision) *Model {
	g := nn.NewGraph(nn.Shape{H: 6, W: 7, C: 3})
	conv := g.Add("conv", &nn.Conv2D{Window: window(3, 4, 3, 2, 1)}, 0)
	bn := g.Add("conv.bn", &nn.BatchNorm{C: 4, Eps: 1e-3}, conv)
	act := g.Add("conv.act", &nn.Activation{Func: nn.HardSwish}, bn)
	se := g.Add("se", &nn.SqueezeExcite{C: 4, Squeezed: 2, Inner: nn.ReLU, Gate: nn.HardSigmoid}, act)
	even := window(4, 4, 3, 1, 4)
	even.Padding = nn.Padding{Top: 0, Left: 1, Bottom: 2, Right: 1}
	dw := g.Add("dw", &nn.Conv2D{Window: even, HasBias: true}, se)
	add := g.Add("add", &nn.Add{}, act, dw)
	pool := g.Add("pool", &nn.GlobalAvgPool{}, add)
	soft := g.Add("soft", &nn.Softmax{}, pool)
	g.Add("fc", &nn.Linear{In: 4, Out: 5}, soft)
	g.Features = pool
	require.NoError(t, g.Err())
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range g.Nodes[1:] {
		for _, param := range n.Op.Params() {
			for range param.Len() {
				v := float32(rng.NormFloat64())
				if param.Name == "running_var" {
					v = v*v + 0.5
				}
				if p == FP16 {
					v = float16.Fromfloat32(v).Float32()
				}
				*param.Data = append(*param.Data, v)
			}
		}
	}
	return &Model{
		Name: "test_net", Precision: p, Graph: g, Preprocess: testSpec(6, 7),
		Labels:     []string{"cat", "dög", "a \"quoted\" <label>", "", "frog"},
		Provenance: map[string]string{"source": "random", "date": "2024-01-01"},
	}
}

// int8Model has every integer operation.
func int8Model(t testing.TB) *Model {
	rng := rand.New(rand.NewPCG(3, 4))
	q := &nn.Quantised{}
	add := func(name string, op nn.QOp, shape nn.Shape, inputs ...int) int {
		n := nn.QNode{Name: name, Op: op, Inputs: inputs, Out: nn.QTensor{Shape: shape}}
		if l, ok := op.(*nn.QLinear); !ok || !l.Float {
			for range shape.C {
				n.Out.Scale = append(n.Out.Scale, 0.01+rng.Float32())
				n.Out.Zero = append(n.Out.Zero, int8(rng.IntN(256)-128))
			}
		}
		if c, ok := op.(*nn.QConv); ok && c.Act == nn.ReLU {
			for i := range n.Out.Zero {
				n.Out.Zero[i] = -128
			}
		}
		if op != nil {
			in := make([]nn.QTensor, len(inputs))
			for i, from := range inputs {
				in[i] = q.Nodes[from].Out
			}
			for _, p := range op.Params(in, n.Out) {
				for range p.Len() {
					switch {
					case p.Int8 != nil:
						*p.Int8 = append(*p.Int8, int8(rng.IntN(255)-127))
					case p.Int32 != nil:
						*p.Int32 = append(*p.Int32, int32(rng.IntN(20001)-10000))
					default:
						*p.Float = append(*p.Float, rng.Float32()*0.01)
					}
				}
			}
		}
		q.Nodes = append(q.Nodes, n)
		return len(q.Nodes) - 1
	}
	in := add("input", nil, nn.Shape{H: 4, W: 5, C: 3})
	half := nn.Shape{H: 2, W: 3, C: 4}
	conv := add("conv", &nn.QConv{Window: window(3, 4, 3, 2, 1), Act: nn.ReLU}, half, in)
	se := add("se", &nn.QSqueezeExcite{Squeezed: 2, Gate: nn.Sigmoid}, half, conv)
	dw := add("dw", &nn.QConv{Window: window(4, 4, 3, 1, 4), Act: nn.HardSwish, Residual: true}, half, se, conv)
	sum := add("sum", &nn.QAdd{}, half, conv, dw)
	table := add("table", &nn.QTable{}, half, sum)
	pool := add("pool", &nn.QPool{}, nn.Shape{H: 1, W: 1, C: 4}, table)
	hidden := add("hidden", &nn.QLinear{In: 4, Out: 3, Act: nn.HardSwish}, nn.Shape{H: 1, W: 1, C: 3}, pool)
	add("fc", &nn.QLinear{In: 3, Out: 2, Float: true}, nn.Shape{H: 1, W: 1, C: 2}, hidden)
	q.Features = pool
	return &Model{
		Name: "test_net", Precision: Int8, Quantised: q, Preprocess: testSpec(4, 5),
		Labels: []string{"yes", "no"}, Provenance: map[string]string{"source": "random"},
	}
}

func models(t testing.TB) map[Precision]*Model {
	return map[Precision]*Model{Float32: floatModel(t, Float32), FP16: floatModel(t, FP16), Int8: int8Model(t)}
}

// container encodes a model and opens it as what it is underneath.
func container(t testing.TB, m *Model) *safetensors.File {
	b, err := Encode(m)
	require.NoError(t, err)
	f, err := safetensors.Parse(slices.Clone(b))
	require.NoError(t, err)
	return f
}

// sealed encodes a changed container with the checksum that fits it.
func sealed(t testing.TB, f *safetensors.File) []byte {
	f.Metadata[keyChecksum] = checksum(f)
	b, err := safetensors.Encode(f)
	require.NoError(t, err)
	return b
}
