package checkpoint

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/safetensors"
)

// versions are the folders of testdata, one for each torch that
// train/goldens_checkpoint.py was run with.
var versions = []string{"torch1.13", "torch2.15"}

// eachVersion runs f on the file of that name by every torch.
func eachVersion(t *testing.T, name string, f func(t *testing.T, path string)) {
	t.Helper()
	for _, v := range versions {
		t.Run(v+"/"+name, func(t *testing.T) { f(t, filepath.Join("testdata", v, name)) })
	}
}

func loaded(t *testing.T, path string) *StateDict {
	t.Helper()
	d, err := Load(path)
	require.NoError(t, err)
	return d
}

// plainWants are the tensors of the small network in the goldens, by their
// place k in its state dict; place 6 is the integer num_batches_tracked.
var plainWants = []struct {
	Want
	k int
}{
	{Want{"0.weight", []int{3, 2, 3, 3}}, 0},
	{Want{"0.bias", []int{3}}, 1},
	{Want{"1.weight", []int{3}}, 2},
	{Want{"1.bias", []int{3}}, 3},
	{Want{"1.running_mean", []int{3}}, 4},
	{Want{"1.running_var", []int{3}}, 5},
	{Want{"3.weight", []int{2, 3}}, 7},
	{Want{"3.bias", []int{2}}, 8},
}

func TestPlainAndWrapped(t *testing.T) {
	for _, name := range []string{
		"plain.pth", "legacy.pth", "protocol4.pth", "dataparallel.pth",
		"wrapped_state_dict.pth", "wrapped_model_state_dict.pth", "wrapped_model.pth",
	} {
		eachVersion(t, name, func(t *testing.T, path string) {
			d := loaded(t, path)
			require.Equal(t, len(plainWants), d.Len())
			assert.Equal(t, []string{"1.num_batches_tracked"}, d.IntegerNames())
			for i, w := range plainWants {
				assert.Equal(t, w.Name, d.Names()[i])
				x, ok := d.Tensor(w.Name)
				require.True(t, ok)
				assert.Equal(t, w.Shape, x.Shape, w.Name)
				for j, v := range x.Data {
					require.Equal(t, float32((7*j+w.k)%23-11)/8, v, "%s[%d]", w.Name, j)
				}
			}
		})
	}
}

func TestNoChecksums(t *testing.T) {
	d := loaded(t, "testdata/torch2.15/no_checksums.pth")
	assert.Equal(t, loaded(t, "testdata/torch2.15/plain.pth"), d)
}

func TestParameters(t *testing.T) {
	eachVersion(t, "parameters.pth", func(t *testing.T, path string) {
		d := loaded(t, path)
		assert.Equal(t, []string{"0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"}, d.Names())
	})
}

// Every tensor X of these files has a twin X.want, as Python sees X.
func TestStridesAndTypes(t *testing.T) {
	for _, name := range []string{"strided.pth", "dtypes.pth"} {
		eachVersion(t, name, func(t *testing.T, path string) {
			d := loaded(t, path)
			pairs := 0
			for _, n := range d.Names() {
				want, ok := d.Tensor(n + ".want")
				if !ok {
					continue
				}
				got, _ := d.Tensor(n)
				assert.Equal(t, want, got, n)
				pairs++
			}
			assert.Equal(t, d.Len(), 2*pairs)
			if name == "dtypes.pth" {
				assert.ElementsMatch(t, []string{"ints.int8", "ints.uint8", "ints.int16", "ints.int32", "ints.int64", "ints.bool"}, d.IntegerNames())
				assert.Equal(t, 4, pairs)
			} else {
				assert.Equal(t, 7, pairs)
			}
		})
	}
}

func TestRefusedByTorchFile(t *testing.T) {
	for name, want := range map[string]string{
		"whole_model.pth": `"torch.nn.modules.container.Sequential"`,
		"sparse.pth":      `"torch._utils._rebuild_sparse_tensor"`,
		"tensor.pth":      "a single tensor of shape [3]",
		"torchscript.pt":  "TorchScript",
	} {
		eachVersion(t, name, func(t *testing.T, path string) {
			_, err := Load(path)
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, want)
			assert.ErrorContains(t, err, path)
			assert.ErrorContains(t, err, "torch.save(model.state_dict(), path)")
		})
	}
	eachVersion(t, "nan.pth", func(t *testing.T, path string) {
		_, err := Load(path)
		require.ErrorIs(t, err, ErrNonFinite)
		assert.ErrorContains(t, err, `tensor "bad": element [1 2] (of shape [2 3]) is NaN`)
	})
}

// write puts b into a file of its own and returns its path.
func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.pth")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestNotACheckpoint(t *testing.T) {
	for want, b := range map[string][]byte{
		"the file is empty": nil,
		"it begins with":    []byte("these are words, not weights\n"),
		"a Python pickle":   []byte("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."),
		"zip directory":     []byte("PK\x03\x04 and then nothing of a zip"),
	} {
		_, err := Load(write(t, b))
		require.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, want)
	}
	_, err := Load(t.TempDir())
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "it is a folder")
	_, err = Load(filepath.Join(t.TempDir(), "absent.pth"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, ErrFormat)
}

func TestEveryPrefixIsRefused(t *testing.T) {
	for _, name := range []string{"plain.pth", "legacy.pth", "wrapped_model.pth"} {
		eachVersion(t, name, func(t *testing.T, path string) {
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			for n := range whole {
				_, err := read(bytes.NewReader(whole[:n]), int64(n))
				require.ErrorIs(t, err, ErrFormat, "the first %d bytes", n)
			}
		})
	}
}

// A flipped bit anywhere in a zip is noticed, or lies where it changes nothing.
func TestFlippedBitsInZip(t *testing.T) {
	eachVersion(t, "plain.pth", func(t *testing.T, path string) {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		want, err := read(bytes.NewReader(whole), int64(len(whole)))
		require.NoError(t, err)
		noticed := 0
		for i := range whole {
			for _, bit := range []byte{1, 0x40} {
				whole[i] ^= bit
				got, err := read(bytes.NewReader(whole), int64(len(whole)))
				if err != nil {
					require.ErrorIs(t, err, ErrFormat, "byte %d", i)
					noticed++
				} else {
					require.Equal(t, want, got, "byte %d", i)
				}
				whole[i] ^= bit
			}
		}
		assert.Greater(t, noticed, len(whole)/2)
	})
}

// The older format has no checksums: a flipped bit may change a value, but must
// not break anything else.
func TestFlippedBitsInLegacy(t *testing.T) {
	eachVersion(t, "legacy.pth", func(t *testing.T, path string) {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		for i := range whole {
			for _, bit := range []byte{1, 0x10, 0x80} {
				whole[i] ^= bit
				_, err := read(bytes.NewReader(whole), int64(len(whole)))
				if err != nil {
					require.Truef(t, isContentError(err), "byte %d: %v", i, err)
				}
				whole[i] ^= bit
			}
		}
	})
}

func TestSafetensors(t *testing.T) {
	w, err := safetensors.NewF32("module.w", []int{2}, []float32{1, -2})
	require.NoError(t, err)
	h, err := safetensors.NewF16("module.h", []int{1, 1}, []float32{0.5})
	require.NoError(t, err)
	n, err := safetensors.NewI32("module.n", []int{}, []int32{7})
	require.NoError(t, err)
	b, err := safetensors.Encode(&safetensors.File{Tensors: []safetensors.Tensor{w, h, n}})
	require.NoError(t, err)

	d := loaded(t, write(t, b))
	assert.Equal(t, []string{"w", "h"}, d.Names())
	assert.Equal(t, []string{"n"}, d.IntegerNames())
	x, _ := d.Tensor("h")
	assert.Equal(t, Tensor{Shape: []int{1, 1}, Data: []float32{0.5}}, x)

	_, err = Load(write(t, b[:len(b)-1]))
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorIs(t, err, safetensors.ErrFormat)
	assert.ErrorContains(t, err, `tensor "module.h"`)

	w, err = safetensors.NewF32("w", []int{2}, []float32{1, float32(math.Inf(1))})
	require.NoError(t, err)
	b, err = safetensors.Encode(&safetensors.File{Tensors: []safetensors.Tensor{w}})
	require.NoError(t, err)
	_, err = Load(write(t, b))
	require.ErrorIs(t, err, ErrNonFinite)
	assert.ErrorContains(t, err, `tensor "w": element [1]`)
}

// A prefix is a wrapper's only when all names have it.
func TestPrefixes(t *testing.T) {
	dict := func(names ...string) *StateDict {
		d := NewStateDict()
		for _, n := range names {
			if rest, ok := strings.CutPrefix(n, "int "); ok {
				require.NoError(t, d.addInteger(rest, "I64"))
			} else {
				require.NoError(t, d.Add(n, Tensor{Shape: []int{0}}))
			}
		}
		return d
	}
	d, err := dict("_orig_mod.module.a", "_orig_mod.module.b.module.c").unwrapped()
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b.module.c"}, d.Names())
	d, err = dict("module.a", "b").unwrapped()
	require.NoError(t, err)
	assert.Equal(t, []string{"module.a", "b"}, d.Names())
	d, err = dict("module.a", "int n_averaged", "int module.n").unwrapped()
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, d.Names())
	assert.Equal(t, []string{"n_averaged", "n"}, d.IntegerNames())
	_, err = dict("module.a", "int a").unwrapped()
	assert.ErrorIs(t, err, ErrFormat)
}

func TestAddRefuses(t *testing.T) {
	d := NewStateDict()
	require.NoError(t, d.Add("a", Tensor{Shape: []int{1}, Data: []float32{1}}))
	assert.ErrorIs(t, d.Add("a", Tensor{Shape: []int{1}, Data: []float32{1}}), ErrFormat)
	assert.ErrorIs(t, d.Add("b", Tensor{Shape: []int{2}, Data: []float32{1}}), ErrFormat)
	assert.ErrorIs(t, d.Add("b", Tensor{Shape: []int{-1}}), ErrFormat)
	assert.ErrorIs(t, d.Add("b", Tensor{Shape: []int{1}, Data: []float32{float32(math.NaN())}}), ErrNonFinite)
	assert.Equal(t, 1, d.Len())
}
