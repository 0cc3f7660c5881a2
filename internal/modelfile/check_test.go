package modelfile

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

// A model that does not fit together is not written, and nothing of it is left.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		model  *Model
		change func(m *Model)
		want   string
	}{
		{"no name", int8Model(t), func(m *Model) { m.Name = "" }, "no name"},
		{"precision", int8Model(t), func(m *Model) { m.Precision = "int4" }, `precision "int4"`},
		{"float without graph", int8Model(t), func(m *Model) { m.Precision = FP16 }, "float graph"},
		{"int8 with graph", floatModel(t, Float32), func(m *Model) { m.Precision = Int8 }, "quantised network"},
		{"both", int8Model(t), func(m *Model) { m.Graph = floatModel(t, Float32).Graph }, "no float graph"},
		{"labels", int8Model(t), func(m *Model) { m.Labels = m.Labels[:1] }, "1 labels for 2 classes"},
		{"label text", int8Model(t), func(m *Model) { m.Labels[1] = "\xff" }, "not valid UTF-8"},
		{"provenance text", int8Model(t), func(m *Model) { m.Provenance["a"] = "\xff" }, "not valid UTF-8"},
		{"image size", int8Model(t), func(m *Model) { m.Preprocess = testSpec(8, 8) }, "preprocessing gives 8x8"},
		{"preprocessing", int8Model(t), func(m *Model) { m.Preprocess.Height = 0 }, "0"},
		{"weight", floatModel(t, Float32), func(m *Model) {
			m.Graph.Nodes[1].Op.(*nn.Conv2D).Weight[3] = float32(math.NaN())
		}, "conv.weight[3] is NaN"},
		{"infinite eps", floatModel(t, Float32), func(m *Model) {
			m.Graph.Nodes[2].Op.(*nn.BatchNorm).Eps = math.Inf(1)
		}, `node "conv.bn"`},
		{"half", floatModel(t, FP16), func(m *Model) {
			m.Graph.Nodes[1].Op.(*nn.Conv2D).Weight[3] = 1.0001
		}, "conv.weight[3] is 1.0001, which half precision cannot hold exactly"},
		{"half range", floatModel(t, FP16), func(m *Model) {
			m.Graph.Nodes[1].Op.(*nn.Conv2D).Weight[3] = 1e6
		}, "conv.weight[3] is 1e+06"},
		{"shape", floatModel(t, Float32), func(m *Model) { m.Graph.Nodes[3].Shape.H = 5 }, `node "conv.act": shape 5x4x4, want 3x4x4`},
		{"input order", floatModel(t, Float32), func(m *Model) { m.Graph.Nodes[3].Inputs[0] = 3 }, "input 0 is node 3, want 0 to 2"},
		{"name of node", int8Model(t), func(m *Model) { m.Quantised.Nodes[2].Name = "conv" }, `two nodes are called "conv"`},
		{"name of input", int8Model(t), func(m *Model) { m.Quantised.Nodes[0].Name = "image" }, `want "input"`},
		{"one name for two tensors", int8Model(t), func(m *Model) {
			m.Quantised.Nodes[1].Name, m.Quantised.Nodes[2].Name = "se.reduce", "se"
		}, `"se.reduce.weight"`},
		{"scale", int8Model(t), func(m *Model) { m.Quantised.Nodes[1].Out.Scale[0] = -1 }, "scale of channel 0 is -1"},
		{"softmax at the end", floatModel(t, Float32), func(m *Model) {
			m.Graph.Add("probabilities", &nn.Softmax{}, len(m.Graph.Nodes)-1)
		}, `ends in softmax (node "probabilities")`},
		{"map at the end", floatModel(t, Float32), func(m *Model) { m.Graph.Nodes = m.Graph.Nodes[:7]; m.Graph.Features = 0 }, "want a vector"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change(c.model)
			dir := t.TempDir()
			err := Write(filepath.Join(dir, "m"), c.model)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.want)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
			_, err = Encode(c.model)
			assert.Error(t, err)
		})
	}
}

// Activations are memory that a small file could ask for.
func TestActivationsAreBounded(t *testing.T) {
	g := nn.NewGraph(nn.Shape{H: 4096, W: 4096, C: 3})
	at := 0
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"} {
		at = g.Add(name, &nn.Activation{Func: nn.ReLU}, at)
	}
	g.Add("pool", &nn.GlobalAvgPool{}, at)
	m := &Model{Name: "big", Precision: Float32, Graph: g, Preprocess: testSpec(4096, 4096)}
	require.ErrorIs(t, m.Check(), ErrModel)
	assert.ErrorContains(t, m.Check(), "more than 1073741824 elements")
}

func TestWriteKeepsWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	require.NoError(t, Write(path, int8Model(t)))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	broken := int8Model(t)
	broken.Quantised.Nodes[1].Out.Scale[0] = 0
	require.ErrorIs(t, Write(path, broken), ErrModel)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}
