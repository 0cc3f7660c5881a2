package safetensors

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// ErrFormat is wrapped by every error about the content of a file: a bad
// header, offsets that do not fit, data that are missing. Errors of the file
// system (fs.ErrNotExist, a full disk) do not wrap it.
var ErrFormat = errors.New("malformed safetensors file")

// metadataKey is the one name in a header that is not a tensor.
const metadataKey = "__metadata__"

// File is the content of a safetensors file.
type File struct {
	// Metadata is the header's string map; nil when the file has none.
	Metadata map[string]string
	// Tensors, in the order of their data in the file.
	Tensors []Tensor
}

// Tensor returns the tensor of that name, and whether the file has it.
func (f *File) Tensor(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

// validate checks what a writer must hold to: names unique and printable as
// JSON, types known, and as many bytes as each shape asks for.
func (f *File) validate() error {
	seen := make(map[string]bool, len(f.Tensors))
	for _, t := range f.Tensors {
		switch {
		case t.Name == metadataKey:
			return fmt.Errorf("%w: a tensor may not be called %q", ErrFormat, metadataKey)
		case !utf8.ValidString(t.Name):
			return fmt.Errorf("%w: the tensor name %q is not valid UTF-8", ErrFormat, t.Name)
		case seen[t.Name]:
			return fmt.Errorf("%w: two tensors are called %q", ErrFormat, t.Name)
		}
		seen[t.Name] = true
		if err := checkTensor(t.Name, t.DType, t.Shape, int64(len(t.Data))); err != nil {
			return err
		}
	}
	for k, v := range f.Metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("%w: metadata entry %q is not valid UTF-8", ErrFormat, k)
		}
	}
	return nil
}

// checkTensor demands that dtype and shape describe exactly size bytes.
func checkTensor(name string, d DType, shape []int, size int64) error {
	if d.Size() == 0 {
		return fmt.Errorf("%w: tensor %q has dtype %q, want one of %v", ErrFormat, name, string(d), layoutOrder)
	}
	n, err := byteCount(d, shape)
	if err != nil {
		return fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
	}
	if n != size {
		return fmt.Errorf("%w: tensor %q of %s %v takes %d bytes, but %d are given for it", ErrFormat, name, d, shape, n, size)
	}
	return nil
}

// byteCount is the size of a tensor in bytes. No shape, however absurd, makes
// it wrap around; a dimension of zero makes it zero.
func byteCount(d DType, shape []int) (int64, error) {
	for _, s := range shape {
		if s < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
	}
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	n := int64(d.Size())
	for _, s := range shape {
		if int64(s) > math.MaxInt/n {
			return 0, fmt.Errorf("shape %v is too large for any memory", shape)
		}
		n *= int64(s)
	}
	return n, nil
}
