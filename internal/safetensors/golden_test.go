package safetensors

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden reads a file that train/goldens_checkpoint.py wrote with the format's
// reference library.
func golden(t *testing.T, name string) *File {
	t.Helper()
	f, err := ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return f
}

func tensor(t *testing.T, f *File, name string) Tensor {
	t.Helper()
	x, ok := f.Tensor(name)
	require.True(t, ok, "no tensor %q", name)
	return x
}

func bits(v []float32) []uint32 {
	out := make([]uint32, len(v))
	for i, x := range v {
		out[i] = math.Float32bits(x)
	}
	return out
}

func TestReadsPythonsFile(t *testing.T) {
	f := golden(t, "python.safetensors")
	assert.Equal(t, map[string]string{"written_by": "python"}, f.Metadata)
	assert.Len(t, f.Tensors, 18)

	for _, name := range []string{"f16", "bf16", "f64"} {
		got, err := tensor(t, f, name).Float32s()
		require.NoError(t, err)
		want, err := tensor(t, f, name+".want").Float32s()
		require.NoError(t, err)
		assert.Equal(t, bits(want), bits(got), name)
	}
	i8, err := tensor(t, f, "i8").Int8s()
	require.NoError(t, err)
	assert.Equal(t, []int8{-128, -1, 0, 127}, i8)
	i32, err := tensor(t, f, "i32").Int32s()
	require.NoError(t, err)
	assert.Equal(t, []int32{math.MinInt32, -1, math.MaxInt32}, i32)
	s := tensor(t, f, "scalar")
	assert.Empty(t, s.Shape)
	v, err := s.Float32s()
	require.NoError(t, err)
	assert.Equal(t, []float32{2.5}, v)
	assert.Equal(t, []int{0, 7}, tensor(t, f, "empty").Shape)
	assert.Equal(t, []byte{1}, tensor(t, f, "näme \"quoted\" <&>\n").Data)

	_, err = tensor(t, f, "i8").Float32s()
	assert.ErrorContains(t, err, `"i8" has dtype I8, want F32`)
	_, err = tensor(t, f, "f32").Int8s()
	assert.ErrorIs(t, err, ErrFormat)
	_, err = tensor(t, f, "f32").Int32s()
	assert.ErrorIs(t, err, ErrFormat)
	_, ok := f.Tensor("absent")
	assert.False(t, ok)
}

// The rounding of NewF16 is numpy's: to nearest, ties to even, subnormals kept.
func TestNewF16RoundsLikeNumpy(t *testing.T) {
	f := golden(t, "python.safetensors")
	src, err := tensor(t, f, "round.src").Float32s()
	require.NoError(t, err)
	got, err := NewF16("x", []int{len(src)}, src)
	require.NoError(t, err)
	assert.Equal(t, tensor(t, f, "round.want").Data, got.Data)
}

// A file without metadata comes out as the reference library wrote it.
func TestEncodeGivesPythonsBytes(t *testing.T) {
	want, err := os.ReadFile("testdata/plain.safetensors")
	require.NoError(t, err)
	f, err := Parse(want)
	require.NoError(t, err)
	for i, j := 0, len(f.Tensors)-1; i < j; i, j = i+1, j-1 {
		f.Tensors[i], f.Tensors[j] = f.Tensors[j], f.Tensors[i]
	}
	got, err := Encode(f)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}
