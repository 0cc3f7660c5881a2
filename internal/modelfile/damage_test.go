package modelfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/safetensors"
)

func known(err error) bool {
	for _, kind := range []error{ErrFormat, ErrVersion, ErrChecksum, ErrCorrupt} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// smallest is a model of few bytes, since each is flipped in turn.
func smallest(t testing.TB) []byte {
	m := int8Model(t)
	q := m.Quantised
	q.Nodes = slices.Concat(q.Nodes[:2], q.Nodes[6:])
	q.Nodes[2].Inputs, q.Nodes[3].Inputs, q.Nodes[4].Inputs = []int{1}, []int{2}, []int{3}
	q.Features = 2
	b, err := Encode(m)
	require.NoError(t, err)
	return b
}

func TestEveryFlippedByteIsFound(t *testing.T) {
	b := smallest(t)
	for i := range b {
		for _, mask := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			b[i] ^= mask
			m, err := Parse(b, "flipped")
			if err == nil || m != nil || !known(err) {
				t.Fatalf("byte %d of %d with mask %d: model %v, error %v", i, len(b), mask, m, err)
			}
			b[i] ^= mask
		}
	}
	_, err := Parse(b, "whole")
	require.NoError(t, err)
}

// In the data, behind the header, nothing but the checksum could notice.
func TestFlippedDataIsAChecksumError(t *testing.T) {
	b := smallest(t)
	b[len(b)-1] ^= 1
	_, err := Parse(b, "x")
	require.ErrorIs(t, err, ErrChecksum)
	assert.Contains(t, err.Error(), "copy or download it again")
}

func TestEveryTruncationIsFound(t *testing.T) {
	b := smallest(t)
	for n := range b {
		if _, err := Parse(b[:n:n], "cut"); !known(err) {
			t.Fatalf("first %d of %d bytes: %v", n, len(b), err)
		}
	}
	_, err := Parse(b[:len(b)-1], "cut")
	assert.ErrorIs(t, err, ErrCorrupt, "what was a Seedge model is called damaged, not foreign")
	_, err = Parse(append(slices.Clone(b), 0), "longer")
	assert.ErrorIs(t, err, ErrCorrupt)
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		version string
		want    error
	}{
		{"1.0", nil}, {"1.7", nil}, {"2.0", ErrVersion}, {"0.9", ErrVersion}, {"99999.1", ErrVersion},
		{"1", ErrCorrupt}, {"", ErrCorrupt}, {"1.0.0", ErrCorrupt}, {"01.0", ErrCorrupt}, {"+1.0", ErrCorrupt},
		{"1.-1", ErrCorrupt}, {"999999999999999999999.0", ErrCorrupt},
	} {
		t.Run(c.version, func(t *testing.T) {
			f := container(t, int8Model(t))
			f.Metadata[keyVersion] = c.version
			_, err := Parse(sealed(t, f), "x")
			if c.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, c.want)
		})
	}
	f := container(t, int8Model(t))
	f.Metadata[keyVersion] = "2.3"
	_, err := Parse(sealed(t, f), "x")
	assert.ErrorContains(t, err, "the file has format version 2.3, and this build reads 1.x; upgrade Seedge")
}

// A newer minor version may bring keys that this build ignores; the same minor
// version may not.
func TestUnknownKeys(t *testing.T) {
	for _, change := range []func(f *safetensors.File){
		func(f *safetensors.File) { f.Metadata["seedge.colour"] = "red" },
		func(f *safetensors.File) { replace(f, keyGraph, `{"input"`, `{"new":[1],"input"`) },
		func(f *safetensors.File) { replace(f, keyGraph, `"attributes":{`, `"attributes":{"new":null,`) },
		func(f *safetensors.File) { replace(f, keyPreprocess, `{`, `{"new":{},`) },
	} {
		f := container(t, int8Model(t))
		change(f)
		_, err := Parse(sealed(t, f), "x")
		require.ErrorIs(t, err, ErrCorrupt)
		assert.ErrorContains(t, err, "unknown")
		f.Metadata[keyVersion] = "1.1"
		_, err = Parse(sealed(t, f), "x")
		assert.NoError(t, err)
	}
}

func replace(f *safetensors.File, key, old, with string) {
	s := strings.Replace(f.Metadata[key], old, with, 1)
	if s == f.Metadata[key] {
		panic(fmt.Sprintf("%s does not contain %s: %s", key, old, s))
	}
	f.Metadata[key] = s
}

// Files with a right checksum and wrong content.
func TestWrongContent(t *testing.T) {
	drop := func(name string) func(f *safetensors.File) {
		return func(f *safetensors.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(x safetensors.Tensor) bool { return x.Name == name })
		}
	}
	with := func(x safetensors.Tensor, err error) func(f *safetensors.File) {
		require.NoError(t, err)
		return func(f *safetensors.File) {
			drop(x.Name)(f)
			f.Tensors = append(f.Tensors, x)
		}
	}
	sub := func(key, old, with string) func(f *safetensors.File) {
		return func(f *safetensors.File) { replace(f, key, old, with) }
	}
	zeros := make([]int8, 4)
	for _, c := range []struct {
		name   string
		model  *Model
		change func(f *safetensors.File)
		want   string
	}{
		{"missing tensor", int8Model(t), drop("conv.bias"), `tensor "conv.bias" is missing, want I32 [4]`},
		{"missing scale", int8Model(t), drop("input.scale"), `tensor "input.scale" is missing`},
		{"extra tensor", int8Model(t), with(safetensors.NewI8("extra", []int{4}, zeros)), `no node owns the tensors "extra"`},
		{"wrong shape", int8Model(t), with(safetensors.NewI8("conv.zero", []int{2, 2}, zeros)), `tensor "conv.zero" is I8 [2 2], want I8 [4]`},
		{"wrong type", int8Model(t), with(safetensors.NewF32("conv.zero", []int{4}, make([]float32, 4))), `want I8 [4]`},
		{"logits with scale", int8Model(t), with(safetensors.NewF32("fc.scale", []int{2}, []float32{1, 1})), `no node owns the tensors "fc.scale"`},
		{"scale of zero", int8Model(t), with(safetensors.NewF32("conv.scale", []int{4}, []float32{1, 0, 1, 1})), `scale of channel 1 is 0`},
		{"half for single", floatModel(t, Float32), with(safetensors.NewF16("fc.bias", []int{5}, make([]float32, 5))), `tensor "fc.bias" is F16 [5], want F32 [5]`},
		{"negative variance", floatModel(t, Float32), with(safetensors.NewF32("conv.bn.running_var", []int{4}, []float32{1, 1, -2, 1})), `conv.bn.running_var[2] is -2, want a variance`},
		{"unknown kind", floatModel(t, Float32), sub(keyGraph, `"kind":"softmax"`, `"kind":"hardmax"`), `unknown operation "hardmax"`},
		{"unknown integer kind", int8Model(t), sub(keyGraph, `"kind":"table"`, `"kind":"hash"`), `unknown integer operation "hash"`},
		{"unknown activation", floatModel(t, Float32), sub(keyGraph, `"func":"hard_swish"`, `"func":"mish"`), `unknown activation function "mish"`},
		{"null activation", int8Model(t), sub(keyGraph, `"act":"relu"`, `"act":null`), `attributes.act is <nil>`},
		{"missing activation", int8Model(t), sub(keyGraph, `"act":"relu",`, ``), `key "act" is missing`},
		{"key in capitals", int8Model(t), sub(keyGraph, `"act":"relu"`, `"ACT":"relu"`), `key "act" is missing`},
		{"null attributes", floatModel(t, Float32), sub(keyGraph, `"attributes":{"c":4,"eps":0.001}`, `"attributes":null`), `attributes: want an object`},
		{"no groups", int8Model(t), sub(keyGraph, `"groups":4`, `"groups":0`), `node "dw": 0 groups`},
		{"negative groups", floatModel(t, Float32), sub(keyGraph, `"groups":4`, `"groups":-4`), `groups is -4`},
		{"huge kernel", int8Model(t), sub(keyGraph, `"kernel_h":3`, `"kernel_h":65536`), `tensor "conv.weight" is I8 [4 3 3 3], want I8 [4 65536 3 3]`},
		{"negative squeeze", int8Model(t), sub(keyGraph, `"squeezed":2`, `"squeezed":-2`), `tensor "se.reduce.weight"`},
		{"input that comes later", int8Model(t), sub(keyGraph, `"inputs":["input"]`, `"inputs":["pool"]`), `node "conv": input 0, "pool", is no earlier node`},
		{"two of a name", int8Model(t), sub(keyGraph, `"name":"table"`, `"name":"conv"`), `two nodes are called "conv"`},
		{"float: two of a name", floatModel(t, Float32), sub(keyGraph, `"name":"soft"`, `"name":"conv"`), `name used twice`},
		{"no name", floatModel(t, Float32), sub(keyGraph, `"name":"soft"`, `"name":""`), `no name`},
		{"wrong shape of a node", int8Model(t), sub(keyGraph, `"inputs":["conv"],"shape":{"h":2`, `"inputs":["conv"],"shape":{"h":3`), `node "se": invalid graph: shape 3x3x4, want 2x3x4`},
		{"float: wrong shape of a node", floatModel(t, Float32), sub(keyGraph, `"shape":{"h":3`, `"shape":{"h":4`), `node "conv": shape 4x4x4 in the file, but its operation gives 3x4x4`},
		{"absurd input", int8Model(t), sub(keyGraph, `{"input":{"h":4`, `{"input":{"h":4611686018427387904`), `want 1 to 65536`},
		{"number beyond an int", int8Model(t), sub(keyGraph, `{"input":{"h":4`, `{"input":{"h":46116860184273879040`), `seedge.graph`},
		{"features nowhere", int8Model(t), sub(keyGraph, `"features":"pool"`, `"features":"poll"`), `features: "poll" is no node`},
		{"trailing text", int8Model(t), func(f *safetensors.File) { f.Metadata[keyGraph] += "{}" }, `after top-level value`},
		{"not JSON", int8Model(t), func(f *safetensors.File) { f.Metadata[keyLabels] = "yes, no" }, `seedge.labels`},
		{"labels of another kind", int8Model(t), func(f *safetensors.File) { f.Metadata[keyLabels] = `["yes", 2]` }, `seedge.labels`},
		{"null label", int8Model(t), func(f *safetensors.File) { f.Metadata[keyLabels] = `["yes", null]` }, `seedge.labels[1] is <nil>`},
		{"a label too few", int8Model(t), func(f *safetensors.File) { f.Metadata[keyLabels] = `["yes"]` }, `1 labels for 2 classes`},
		{"missing key", int8Model(t), func(f *safetensors.File) { delete(f.Metadata, keyPreprocess) }, `the metadata key "seedge.preprocess" is missing`},
		{"unknown precision", int8Model(t), func(f *safetensors.File) { f.Metadata[keyPrecision] = "int4" }, `seedge.precision is "int4"`},
		{"another precision", int8Model(t), func(f *safetensors.File) { f.Metadata[keyPrecision] = "float32" }, `node "conv" (conv2d): attributes: key "bias" is missing`},
		{"no model name", int8Model(t), func(f *safetensors.File) { f.Metadata[keyName] = "" }, `the model has no name`},
		{"another image size", int8Model(t), sub(keyPreprocess, `"height":4`, `"height":5`), `preprocessing gives 5x5 pixels (height x width), but the network wants 4x5`},
		{"a long text", int8Model(t), func(f *safetensors.File) { f.Metadata[keyLabels] = strings.Repeat(" ", maxJSON+1) }, `at most`},
		{"many nodes", int8Model(t), func(f *safetensors.File) {
			n := `{"name":"","kind":"","attributes":{},"inputs":[],"shape":{"h":1,"w":1,"c":1}},`
			replace(f, keyGraph, `"nodes":[`, `"nodes":[`+strings.Repeat(n, maxNodes))
		}, `at most 9999 are allowed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := container(t, c.model)
			c.change(f)
			m, err := Parse(sealed(t, f), "x.safetensors")
			require.ErrorIs(t, err, ErrCorrupt)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "x.safetensors")
			assert.Nil(t, m)
		})
	}
}

func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b, 0o644))
		return path
	}
	w, err := safetensors.NewF32("classifier.0.weight", []int{1}, []float32{1})
	require.NoError(t, err)
	checkpoint, err := safetensors.Encode(&safetensors.File{Tensors: []safetensors.Tensor{w}})
	require.NoError(t, err)
	for _, path := range []string{
		write("checkpoint.safetensors", checkpoint), write("empty", nil), write("a.pth", []byte("PK\x03\x04 and more bytes")),
		write("a.txt", []byte("hello")), dir,
	} {
		_, err := Read(path)
		require.ErrorIs(t, err, ErrFormat, path)
		assert.ErrorContains(t, err, "seedge import")
		assert.ErrorContains(t, err, path)
	}
	_, err = Read(filepath.Join(dir, "nothing"))
	assert.ErrorIs(t, err, os.ErrNotExist)

	b := smallest(t)
	_, err = Read(write("cut.safetensors", b[:len(b)/2]))
	assert.ErrorIs(t, err, ErrCorrupt)
	assert.NotErrorIs(t, err, ErrFormat)
}
