package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw makes a file of a header and so many bytes of data.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestParseRefuses(t *testing.T) {
	ten := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	cases := []struct {
		name string
		in   []byte
		want string
	}{
		{"empty", nil, "too few"},
		{"seven bytes", make([]byte, 7), "too few"},
		{"text", []byte("these are not weights, they are words"), "a header of"},
		{"huge header", append(bytes.Repeat([]byte{255}, 8), '{'), "at most 100000000"},
		{"header past the end", binary.LittleEndian.AppendUint64(nil, 9), "cut short"},
		{"no brace", raw(`[]`, 0), "does not begin with '{'"},
		{"no header", raw(``, 0), "does not begin with '{'"},
		{"leading space", raw(` {}`, 0), "does not begin with '{'"},
		{"bad UTF-8", raw("{\"\xff\":1}", 0), "UTF-8"},
		{"cut JSON", raw(ten[:40], 8), "unexpected EOF"},
		{"unclosed", raw(ten[:len(ten)-1], 8), "unexpected EOF"},
		{"two values", raw(ten+`{}`, 8), "goes on after"},
		{"rubbish after", raw(ten+`x`, 8), "goes on after"},
		{"tensor is a number", raw(`{"a":1}`, 0), `tensor "a": got 1, want '{'`},
		{"duplicate tensor", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}`, 2), `key "a" twice`},
		{"duplicate field", raw(`{"a":{"dtype":"I8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `"dtype" twice`},
		{"duplicate metadata", raw(`{"__metadata__":{"k":"1","k":"2"}}`, 0), `"k" twice`},
		{"metadata not strings", raw(`{"__metadata__":{"k":1}}`, 0), `metadata entry "k" is 1, want a string`},
		{"metadata not an object", raw(`{"__metadata__":null}`, 0), "__metadata__: got <nil>"},
		{"unknown field", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1],"x":2}}`, 1), `unknown key "x"`},
		{"missing field", raw(`{"a":{"dtype":"I8","shape":[1]}}`, 1), `tensor "a" lacks one of`},
		{"unknown dtype", raw(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1), `tensor "a" has dtype "F8_E4M3", want one of`},
		{"dtype number", raw(`{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}`, 1), `dtype is 1, want a string`},
		{"negative dimension", raw(`{"a":{"dtype":"I8","shape":[-1],"data_offsets":[0,1]}}`, 1), `"a": shape has the element -1`},
		{"fraction", raw(`{"a":{"dtype":"I8","shape":[1.0],"data_offsets":[0,1]}}`, 1), "1.0, want an integer"},
		{"string dimension", raw(`{"a":{"dtype":"I8","shape":["1"],"data_offsets":[0,1]}}`, 1), "want an integer"},
		{"dimension beyond int64", raw(`{"a":{"dtype":"I8","shape":[9223372036854775808],"data_offsets":[0,1]}}`, 1), "want an integer from 0"},
		{"product wraps to 8", raw(`{"a":{"dtype":"F32","shape":[4611686018427387905,2],"data_offsets":[0,8]}}`, 8), "too large"},
		{"product wraps to 0", raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		{"three offsets", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1,2]}}`, 1), "3 numbers, want 2"},
		{"backwards", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[1,0]}}`, 1), `"a" ends at byte 0, before`},
		{"size", raw(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), `F32 [3] takes 12 bytes, but 8`},
		{"gap at the start", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}`, 2), `1 bytes between the header and tensor "a"`},
		{"gap", raw(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"I8","shape":[1],"data_offsets":[2,3]}}`, 3), `between tensor "a" and tensor "b"`},
		{"overlap", raw(`{"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}}`, 3), `"b" begins at byte 1, inside tensor "a"`},
		{"same place", raw(`{"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}`, 2), `inside tensor "a"`},
		{"cut data", raw(ten, 7), `"a" ends at byte 8 of the data, but the file has only 7`},
		{"trailing byte", raw(ten, 9), `1 bytes follow tensor "a"`},
		{"trailing without tensors", raw(`{}`, 1), "1 bytes follow the header"},
		{"terabytes claimed", raw(`{"a":{"dtype":"I8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}`, 4), "has only 4"},
		{"deep nesting", raw(`{"a":`+strings.Repeat("[", 1<<16), 0), `tensor "a"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.in)
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.want)
			_, err = Read(bytes.NewReader(c.in), int64(len(c.in)))
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestParseAccepts(t *testing.T) {
	for name, in := range map[string][]byte{
		"no tensors":       raw(`{}`, 0),
		"padding":          raw(`{}      `, 0),
		"other JSON order": raw(`{"b":{"shape":[1],"data_offsets":[1,2],"dtype":"I8"},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 2),
		"empty tensors":    raw(`{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F64","shape":[9,0,9223372036854775807],"data_offsets":[0,0]}}`, 0),
	} {
		_, err := Parse(in)
		assert.NoError(t, err, name)
	}
}

func TestEveryPrefixIsRefused(t *testing.T) {
	whole, err := os.ReadFile("testdata/plain.safetensors")
	require.NoError(t, err)
	for n := range whole {
		_, err := Parse(whole[:n])
		require.ErrorIs(t, err, ErrFormat, "the first %d bytes", n)
	}
}

// The size a caller passes may be wrong: Read must notice, and must not take
// memory for it first.
func TestReadDistrustsSize(t *testing.T) {
	h := `{"a":{"dtype":"I8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}`
	_, err := Read(bytes.NewReader(raw(h, 3)), int64(8+len(h))+1<<40)
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "it ended after")
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadFile(filepath.Join(dir, "absent"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, ErrFormat)
	_, err = ReadFile(dir)
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, dir)
	bad := filepath.Join(dir, "bad.safetensors")
	require.NoError(t, os.WriteFile(bad, raw(`{"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 0), 0o600))
	_, err = ReadFile(bad)
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, bad)
	assert.ErrorContains(t, err, `tensor "w"`)
}

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestReadErrorsAreNotFormatErrors(t *testing.T) {
	_, err := Read(brokenReader{}, 100)
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	assert.NotErrorIs(t, err, ErrFormat)
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"plain.safetensors"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add(raw(`{"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}`, 4))
	f.Add(raw(`{}`, 0))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[4611686018427387905,2],"data_offsets":[0,8]}}`, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		total := 0
		for _, x := range file.Tensors {
			total += len(x.Data)
			if x.DType.IsFloat() {
				_, _ = x.Float32s()
			}
		}
		require.LessOrEqual(t, total, len(b))
		// What was read can be written, and reads back the same.
		out, err := Encode(file)
		require.NoError(t, err)
		again, err := Parse(out)
		require.NoError(t, err)
		require.Equal(t, len(file.Tensors), len(again.Tensors))
		require.Equal(t, file.Metadata, again.Metadata)
		for _, x := range file.Tensors {
			y, ok := again.Tensor(x.Name)
			require.True(t, ok)
			require.Equal(t, fmt.Sprint(x), fmt.Sprint(y))
		}
	})
}
