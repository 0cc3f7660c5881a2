package nn

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/golden"
)

// seed is that of train/goldens_float.py, which wrote testdata/torch.json.
const seed = 20190506

type layerGolden[T any] struct {
	Name   string    `json:"name"`
	Input  Shape     `json:"input"`
	Output Shape     `json:"output"`
	Op     T         `json:"op"`
	Want   []float32 `json:"want"` // [C][H][W]
}

type torchGoldens struct {
	Conv2D        []layerGolden[Conv2D]        `json:"conv2d"`
	SqueezeExcite []layerGolden[SqueezeExcite] `json:"squeeze_excite"`
	BatchNorm     []float32                    `json:"batch_norm"`
	Linear        []float32                    `json:"linear"`
	Functions     map[string][]float32         `json:"functions"`
	Softmax       []float32                    `json:"softmax"`
}

func readTorch(t *testing.T) torchGoldens {
	raw, err := os.ReadFile("testdata/torch.json")
	require.NoError(t, err)
	var g torchGoldens
	require.NoError(t, json.Unmarshal(raw, &g))
	require.NotEmpty(t, g.Conv2D)
	require.NotEmpty(t, g.SqueezeExcite)
	return g
}

// run computes one layer alone.
func run(t *testing.T, op Op, in Shape, data []float32) Tensor {
	g := NewGraph(in)
	g.Add("layer", op, 0)
	require.NoError(t, g.Err())
	f, err := NewFloat(g)
	require.NoError(t, err)
	_, err = f.Run(data)
	require.NoError(t, err)
	return f.Output(1)
}

func within(t *testing.T, got, want []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	d := golden.Compare(got, want)
	assert.Truef(t, d.Within(1e-6), "%+v", d)
}

func nhwcInput(name string, s Shape) []float32 {
	return golden.FromCHW(golden.Values(seed, name+".in", s.Len()), s.C)
}

func TestConv2DAgainstTorch(t *testing.T) {
	for _, c := range readTorch(t).Conv2D {
		t.Run(c.Name, func(t *testing.T) {
			op := c.Op
			taps := op.KernelH * op.KernelW
			// PyTorch has [out][in][y][x]: each output's weights are a small CHW image.
			per := taps * op.In / op.Groups
			w := golden.Values(seed, c.Name+".weight", op.Out*per)
			for o := range op.Out {
				op.Weight = append(op.Weight, golden.FromCHW(w[o*per:(o+1)*per], op.In/op.Groups)...)
			}
			if op.HasBias {
				op.Bias = golden.Values(seed, c.Name+".bias", op.Out)
			}
			out := run(t, &op, c.Input, nhwcInput(c.Name, c.Input))
			assert.Equal(t, c.Output, out.Shape)
			within(t, out.Data, golden.FromCHW(c.Want, op.Out))
		})
	}
}

// TestConv2DPathsAgree: the fast paths compute what the general one does.
func TestConv2DPathsAgree(t *testing.T) {
	for _, op := range []*Conv2D{
		{Window: Window{In: 7, Out: 9, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}},
		{Window: Window{In: 6, Out: 6, KernelH: 3, KernelW: 5, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2, Groups: 6, Padding: Padding{1, 4, 0, 3}}, HasBias: true},
		// A bias that the layer says it has not is not to be added.
		{Window: Window{In: 3, Out: 4, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}, Bias: []float32{9, 9, 9, 9}},
	} {
		in := Tensor{Shape{6, 9, op.In}, golden.Values(1, "x", 6*9*op.In)}
		op.Weight = golden.Values(1, "w", op.Out*op.Taps())
		if op.HasBias {
			op.Bias = golden.Values(1, "b", op.Out)
		}
		s, err := op.Infer([]Shape{in.Shape})
		require.NoError(t, err)
		fast, general := NewTensor(s), NewTensor(s)
		op.forward([]Tensor{in}, fast, &scratch{})
		op.forwardGeneral(in, general)
		within(t, fast.Data, general.Data)
	}
}

func TestSqueezeExciteAgainstTorch(t *testing.T) {
	for _, c := range readTorch(t).SqueezeExcite {
		t.Run(c.Name, func(t *testing.T) {
			op := c.Op
			for _, p := range op.Params() {
				name := strings.NewReplacer("reduce", "fc1", "expand", "fc2").Replace(p.Name)
				*p.Data = golden.Values(seed, c.Name+"."+name, p.Len())
				for i := range *p.Data {
					(*p.Data)[i] *= 4
				}
			}
			out := run(t, &op, c.Input, nhwcInput(c.Name, c.Input))
			within(t, out.Data, golden.FromCHW(c.Want, op.C))
		})
	}
}

func TestExciteIsTheInsideOfSqueezeExcite(t *testing.T) {
	s := &SqueezeExcite{C: 2, Squeezed: 2, Inner: ReLU, Gate: Sigmoid,
		Reduce: []float32{1, 1, 1, -1}, ReduceBias: []float32{0, 1}, Expand: make([]float32, 4), ExpandBias: make([]float32, 2)}
	squeezed, inner := s.Excite(Tensor{Shape{1, 2, 2}, []float32{1, 10, 3, 30}})
	assert.Equal(t, []float32{2, 20}, squeezed)
	assert.Equal(t, []float32{22, 0}, inner)
}

func TestBatchNormAgainstTorch(t *testing.T) {
	bn := &BatchNorm{C: 5, Eps: 1e-3}
	for _, p := range bn.Params() {
		*p.Data = golden.Values(seed, "bn."+p.Name, 5)
	}
	for i, v := range bn.Var {
		bn.Var[i] = float32(math.Abs(float64(v)))
	}
	s := Shape{3, 4, 5}
	out := run(t, bn, s, nhwcInput("bn", s))
	within(t, out.Data, golden.FromCHW(readTorch(t).BatchNorm, 5))
}

func TestLinearAgainstTorch(t *testing.T) {
	l := &Linear{In: 11, Out: 6, Weight: golden.Values(seed, "linear.weight", 66), Bias: golden.Values(seed, "linear.bias", 6)}
	out := run(t, l, Shape{1, 1, 11}, golden.Values(seed, "linear.in", 11))
	within(t, out.Data, readTorch(t).Linear)
}

func TestSoftmaxAgainstTorch(t *testing.T) {
	logits := golden.Values(seed, "softmax.in", 9)
	for i := range logits {
		logits[i] *= 20
	}
	out := run(t, &Softmax{}, Shape{1, 1, 9}, logits)
	within(t, out.Data, readTorch(t).Softmax)
	var sum float64
	for _, p := range out.Data {
		sum += float64(p)
	}
	assert.InDelta(t, 1, sum, 1e-6)

	huge := []float32{3e38, -3e38, 3e38}
	Probabilities(huge, huge)
	assert.Equal(t, []float32{0.5, 0, 0.5}, huge)
}

func TestFunctionsAgainstTorch(t *testing.T) {
	goldens := readTorch(t).Functions
	require.Len(t, goldens, len(funcNames))
	for name, want := range goldens {
		var f Func
		require.NoError(t, f.UnmarshalText([]byte(name)))
		require.Len(t, want, 129)
		got := make([]float32, 129)
		for i := range got {
			got[i] = f.Apply(float32(i-64) / 8)
		}
		within(t, got, want)
	}
}

func TestGlobalAvgPool(t *testing.T) {
	out := run(t, &GlobalAvgPool{}, Shape{2, 2, 2}, []float32{1, -10, 2, -20, 3, -30, 6, -60})
	assert.Equal(t, Tensor{Shape{1, 1, 2}, []float32{3, -30}}, out)
}
