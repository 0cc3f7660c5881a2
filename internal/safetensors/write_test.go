package safetensors

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func must(t *testing.T) func(Tensor, error) Tensor {
	return func(x Tensor, err error) Tensor {
		t.Helper()
		require.NoError(t, err)
		return x
	}
}

func sample(t *testing.T) *File {
	ok := must(t)
	return &File{
		Metadata: map[string]string{"b": "2", "a": "<1>"},
		Tensors: []Tensor{
			ok(NewI8("codes", []int{3}, []int8{-128, 0, 127})),
			ok(NewF32("z", []int{2, 1}, []float32{1.5, float32(math.Inf(-1))})),
			ok(NewF32("w", []int{}, []float32{-0.25})),
			ok(NewF16("half", []int{2}, []float32{65504, -1})),
			ok(NewI32("bias", []int{1, 1}, []int32{math.MinInt32})),
		},
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	f := sample(t)
	b, err := Encode(f)
	require.NoError(t, err)
	n := binary.LittleEndian.Uint64(b)
	assert.Zero(t, n%8, "the header is aligned")
	assert.Contains(t, string(b[:8+n]), `{"__metadata__":{"a":"<1>","b":"2"},"w":`)

	got, err := Parse(b)
	require.NoError(t, err)
	assert.Equal(t, f.Metadata, got.Metadata)
	names := []string{}
	for _, x := range got.Tensors {
		names = append(names, x.Name)
		assert.Equal(t, tensor(t, f, x.Name), x)
	}
	assert.Equal(t, []string{"w", "z", "bias", "half", "codes"}, names, "wide elements first, then by name")

	again, err := Encode(got)
	require.NoError(t, err)
	assert.Equal(t, b, again, "the bytes depend on the content alone")
	i32, err := tensor(t, got, "bias").Int32s()
	require.NoError(t, err)
	assert.Equal(t, []int32{math.MinInt32}, i32)
}

func TestEncodeRefuses(t *testing.T) {
	i8 := func(name string) Tensor { return Tensor{Name: name, DType: I8, Shape: []int{1}, Data: []byte{0}} }
	for want, f := range map[string]*File{
		`two tensors are called "a"`:       {Tensors: []Tensor{i8("a"), i8("a")}},
		`may not be called "__metadata__"`: {Tensors: []Tensor{i8("__metadata__")}},
		`name "\xff" is not valid UTF-8`:   {Tensors: []Tensor{i8("\xff")}},
		`metadata entry "k" is not valid`:  {Metadata: map[string]string{"k": "\xff"}},
		`tensor "a" has dtype "F8"`:        {Tensors: []Tensor{{Name: "a", DType: "F8"}}},
		`I8 [2] takes 2 bytes, but 1`:      {Tensors: []Tensor{{Name: "a", DType: I8, Shape: []int{2}, Data: []byte{0}}}},
		`shape [-1 -1] has a negative`:     {Tensors: []Tensor{{Name: "a", DType: I8, Shape: []int{-1, -1}, Data: []byte{0}}}},
		`] is too large`:                   {Tensors: []Tensor{{Name: "a", DType: I8, Shape: []int{math.MaxInt, 4}, Data: make([]byte, 4)}}},
	} {
		_, err := Encode(f)
		require.ErrorIs(t, err, ErrFormat, want)
		assert.ErrorContains(t, err, want)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	_, err := NewF32("w", []int{2, 2}, make([]float32, 3))
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, `tensor "w" of F32 [2 2] takes 16 bytes, but 12`)
	_, err = NewI8("w", []int{2}, nil)
	assert.ErrorIs(t, err, ErrFormat)
	_, err = NewI32("w", []int{2}, nil)
	assert.ErrorIs(t, err, ErrFormat)
	_, err = NewF16("w", []int{2}, []float32{1, 65520})
	assert.ErrorContains(t, err, `tensor "w": element 1 is 65520`)
	inf, err := NewF16("w", []int{1}, []float32{float32(math.Inf(1))})
	require.NoError(t, err)
	assert.Equal(t, []byte{0x00, 0x7c}, inf.Data)

	wide := Tensor{Name: "d", DType: F64, Shape: []int{1}, Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300))}
	_, err = wide.Float32s()
	assert.ErrorContains(t, err, `tensor "d": element 0 is 1e+300`)
}

func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	require.NoError(t, WriteFile(path, sample(t)))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	want, err := Encode(sample(t))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, []string{"m.safetensors"}, names(t, dir))
}

func TestWriteFileFailsCleanly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))

	err := WriteFile(path, &File{Tensors: []Tensor{{Name: "a", DType: "?"}}})
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, path)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "before", string(got), "the old file is untouched")
	assert.Equal(t, []string{"m.safetensors"}, names(t, dir), "no temporary file is left")

	err = WriteFile(filepath.Join(dir, "no", "m"), sample(t))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "create the folder")

	err = WriteFile(dir, sample(t))
	assert.ErrorContains(t, err, "not a regular file")
}
