package modelfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

func TestRoundTrip(t *testing.T) {
	for p, m := range models(t) {
		t.Run(string(p), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.safetensors")
			require.NoError(t, Write(path, m))
			got, err := Read(path)
			require.NoError(t, err)
			// Graphs hold an index of names, so their nodes are compared.
			if m.Graph != nil {
				assert.Equal(t, m.Graph.Nodes, got.Graph.Nodes)
				assert.Equal(t, m.Graph.Features, got.Graph.Features)
			}
			assert.Equal(t, m.Quantised, got.Quantised)
			assert.Equal(t, m.Preprocess, got.Preprocess)
			assert.Equal(t, m.Labels, got.Labels)
			assert.Equal(t, m.Provenance, got.Provenance)
			assert.Equal(t, m.Name, got.Name)
			assert.Equal(t, p, got.Precision)

			written, err := os.ReadFile(path)
			require.NoError(t, err)
			again, err := Encode(got)
			require.NoError(t, err)
			assert.Equal(t, written, again, "encoding what was read gives the same bytes")
			left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
			require.NoError(t, err)
			assert.Equal(t, []string{path}, left)
		})
	}
}

// Every operation that nn has must pass through a file, so a new one that the
// fixtures lack fails here.
func TestFixturesHaveEveryOperation(t *testing.T) {
	kinds := func(m *Model) map[string]bool {
		seen := map[string]bool{}
		if m.Graph != nil {
			for _, n := range m.Graph.Nodes[1:] {
				seen[n.Op.Kind()] = true
			}
			return seen
		}
		for _, n := range m.Quantised.Nodes[1:] {
			seen[n.Op.Kind()] = true
		}
		return seen
	}
	assert.Len(t, kinds(floatModel(t, Float32)), 8)
	assert.Len(t, kinds(int8Model(t)), 6)
}

func TestOptionalParts(t *testing.T) {
	m := int8Model(t)
	m.Labels, m.Provenance, m.Quantised.Features = nil, nil, 0
	b, err := Encode(m)
	require.NoError(t, err)
	got, err := Parse(b, "memory")
	require.NoError(t, err)
	assert.Nil(t, got.Labels)
	assert.Nil(t, got.Provenance)
	_, ok := got.Features()
	assert.False(t, ok)
}

// A model read shares no memory with the bytes it was read from.
func TestParseCopies(t *testing.T) {
	b, err := Encode(int8Model(t))
	require.NoError(t, err)
	got, err := Parse(b, "memory")
	require.NoError(t, err)
	clear(b)
	assert.Equal(t, int8Model(t).Quantised, got.Quantised)
}

// Other libraries write keys and tensors in an order of their own.
func TestOrderInTheFileDoesNotMatter(t *testing.T) {
	f := container(t, int8Model(t))
	want := f.Metadata[keyChecksum]
	slices.Reverse(f.Tensors)
	assert.Equal(t, want, checksum(f))
}

func TestAccessors(t *testing.T) {
	q, f := int8Model(t), floatModel(t, Float32)
	assert.Equal(t, nn.Shape{H: 4, W: 5, C: 3}, q.Input())
	assert.Equal(t, nn.Shape{H: 6, W: 7, C: 3}, f.Input())
	assert.Equal(t, 2, q.Classes())
	assert.Equal(t, 5, f.Classes())
	shape, ok := q.Features()
	assert.True(t, ok)
	assert.Equal(t, nn.Shape{H: 1, W: 1, C: 4}, shape)
	shape, ok = f.Features()
	assert.True(t, ok)
	assert.Equal(t, nn.Shape{H: 1, W: 1, C: 4}, shape)
	// conv 3*3*3*4+4, se 2*8+2+4, dw 9*4+4, hidden 4*3+3, fc 3*2+2; six
	// positions, se once.
	assert.Equal(t, nn.Cost{Params: 112 + 22 + 40 + 15 + 8, MACs: 6*108 + 16 + 6*36 + 12 + 6}, q.Cost())
	assert.Equal(t, f.Graph.Total(nil), f.Cost())
}

// Half precision takes half the space, and the weights come back unchanged.
func TestHalvesOnDisk(t *testing.T) {
	for _, x := range container(t, floatModel(t, FP16)).Tensors {
		assert.Equal(t, safetensors.F16, x.DType, x.Name)
	}
}
