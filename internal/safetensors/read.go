package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxHeader bounds the header at 100 MB, the limit of the reference library.
const maxHeader = 100_000_000

// prefixLen is the size of the header length in front of the header.
const prefixLen = 8

// Parse reads a file that is already in memory. The tensors' Data share b.
func Parse(b []byte) (*File, error) {
	return parse(bytes.NewReader(b), int64(len(b)), func(off, n int64) ([]byte, error) {
		return b[off : off+n : off+n], nil
	})
}

// Read reads a file of size bytes. The header is read and checked first; data
// are read only when the header accounts for exactly the bytes that follow it.
func Read(r io.ReaderAt, size int64) (*File, error) {
	return parse(r, size, func(off, n int64) ([]byte, error) {
		return readAt(r, off, n)
	})
}

// ReadFile reads the file at path. Its errors begin with the path.
func ReadFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("safetensors: %s: %w: it is not a regular file (%s)", path, ErrFormat, st.Mode().Type())
	}
	out, err := Read(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return out, nil
}

// parse checks everything that can be checked without the data, then asks body
// once for all data: n bytes from offset off of the file.
func parse(r io.ReaderAt, size int64, body func(off, n int64) ([]byte, error)) (*File, error) {
	if size < prefixLen {
		return nil, fmt.Errorf("%w: %d bytes are too few to hold a header", ErrFormat, size)
	}
	prefix, err := readAt(r, 0, prefixLen)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(prefix)
	if n > maxHeader {
		return nil, fmt.Errorf("%w: a header of %d bytes, at most %d are allowed", ErrFormat, n, maxHeader)
	}
	if int64(n) > size-prefixLen {
		return nil, fmt.Errorf("%w: a header of %d bytes in a file of %d: cut short, or not a safetensors file", ErrFormat, n, size)
	}
	raw, err := readAt(r, prefixLen, int64(n))
	if err != nil {
		return nil, err
	}
	meta, entries, err := parseHeader(raw)
	if err != nil {
		return nil, err
	}
	dataOff := prefixLen + int64(n)
	if err := checkLayout(entries, size-dataOff); err != nil {
		return nil, err
	}
	data, err := body(dataOff, size-dataOff)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: meta, Tensors: make([]Tensor, len(entries))}
	for i, e := range entries {
		f.Tensors[i] = Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.begin:e.end:e.end]}
	}
	return f, nil
}

// checkLayout sorts entries by position and demands that they tile the dataLen
// bytes behind the header: no gap, no overlap, nothing before or after.
func checkLayout(entries []entry, dataLen int64) error {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var pos int64
	last := "the header"
	for _, e := range entries {
		switch {
		case e.end < e.begin:
			return fmt.Errorf("%w: tensor %q ends at byte %d, before it begins at %d", ErrFormat, e.name, e.end, e.begin)
		case e.begin < pos:
			return fmt.Errorf("%w: tensor %q begins at byte %d, inside %s, which ends at %d", ErrFormat, e.name, e.begin, last, pos)
		case e.begin > pos:
			return fmt.Errorf("%w: %d bytes between %s and tensor %q belong to no tensor", ErrFormat, e.begin-pos, last, e.name)
		case e.end > dataLen:
			return fmt.Errorf("%w: tensor %q ends at byte %d of the data, but the file has only %d: it was cut short", ErrFormat, e.name, e.end, dataLen)
		}
		if err := checkTensor(e.name, e.dtype, e.shape, e.end-e.begin); err != nil {
			return err
		}
		pos, last = e.end, fmt.Sprintf("tensor %q", e.name)
	}
	if pos != dataLen {
		return fmt.Errorf("%w: %d bytes follow %s, which should be the last", ErrFormat, dataLen-pos, last)
	}
	return nil
}

// readAt reads exactly n bytes. Its buffer grows with what really arrives, so
// that a wrong size costs no more memory than the file has bytes.
func readAt(r io.ReaderAt, off, n int64) ([]byte, error) {
	const trust = 64 << 20
	buf := bytes.NewBuffer(make([]byte, 0, min(n, trust)+bytes.MinRead))
	got, err := io.Copy(buf, io.NewSectionReader(r, off, n))
	if err != nil {
		return nil, err
	}
	if got != n {
		return nil, fmt.Errorf("%w: it ended after %d of %d bytes", ErrFormat, off+got, off+n)
	}
	return buf.Bytes(), nil
}
