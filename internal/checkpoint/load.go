package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seedge/seedge/internal/safetensors"
)

// maxTorchFile bounds what is read into memory of a .pth file. The largest
// networks for the edge are a hundredth of it.
const maxTorchFile = 1<<31 - 1

// Load reads the weights in the file at path, whatever it is called.
//
// A PyTorch file may hold a state dict, or a dict with the state dict under
// "state_dict", "model_state_dict" or "model", as training scripts write them.
// Float tensors of any width become float32. The prefix "module." that
// DataParallel puts before every name is taken off, as is torch.compile's
// "_orig_mod.". Integer tensors are remembered by name only.
//
// Errors begin with the path and wrap ErrFormat, ErrNonFinite, or the error of
// the file system.
func Load(path string) (*StateDict, error) {
	d, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return d, nil
}

func load(path string) (*StateDict, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, fmt.Errorf("%w: it is a folder; name the file in it", ErrFormat)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is not a regular file (%s)", ErrFormat, st.Mode().Type())
	}
	d, err := read(f, st.Size())
	if err != nil {
		return nil, err
	}
	return d.unwrapped()
}

// headLen is how much of a file decides its format.
const headLen = 16

// read tells the formats apart by their first bytes.
func read(r io.ReaderAt, size int64) (*StateDict, error) {
	if size == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	head := make([]byte, min(size, headLen))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readTorch(r, size, readZip)
	case bytes.HasPrefix(head, legacyMagic):
		return readTorch(r, size, readLegacy)
	case looksLikeSafetensors(head):
		return readSafetensors(r, size)
	case head[0] == 0x80:
		return nil, fmt.Errorf("%w: it is a Python pickle, but not one that torch.save wrote, or it was cut short; save the weights with torch.save(model.state_dict(), path)", ErrFormat)
	}
	return nil, fmt.Errorf("%w: it begins with %q, want a PyTorch file (a zip) or a safetensors file", ErrFormat, head)
}

// looksLikeSafetensors: a length below 2^32, then the brace of the header.
func looksLikeSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32
}

func readTorch(r io.ReaderAt, size int64, parse func([]byte) (*StateDict, error)) (*StateDict, error) {
	if size > maxTorchFile {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are read; save the weights alone, without the optimiser's state", ErrFormat, size, maxTorchFile)
	}
	var buf bytes.Buffer
	// A sparse file may claim a size that it has not; Grow only for a normal one.
	buf.Grow(int(min(size, 256<<20)) + bytes.MinRead)
	if n, err := io.Copy(&buf, io.NewSectionReader(r, 0, size)); err != nil {
		return nil, err
	} else if n != size {
		return nil, fmt.Errorf("%w: it ended after %d of %d bytes", ErrFormat, n, size)
	}
	return parse(buf.Bytes())
}

func readSafetensors(r io.ReaderAt, size int64) (*StateDict, error) {
	f, err := safetensors.Read(r, size)
	if err != nil {
		if errors.Is(err, safetensors.ErrFormat) {
			err = formatError{err}
		}
		return nil, err
	}
	d := NewStateDict()
	for _, t := range f.Tensors {
		if !t.DType.IsFloat() {
			if err := d.addInteger(t.Name, string(t.DType)); err != nil {
				return nil, err
			}
			continue
		}
		v, err := t.Float32s()
		if err != nil {
			return nil, formatError{err}
		}
		if err := d.Add(t.Name, Tensor{Shape: t.Shape, Data: v}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// formatError makes an error of another package answer to ErrFormat without
// saying so a second time.
type formatError struct{ error }

func (e formatError) Is(target error) bool { return target == ErrFormat }
func (e formatError) Unwrap() error        { return e.error }
