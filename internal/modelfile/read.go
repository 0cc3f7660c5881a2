package modelfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seedge/seedge/internal/safetensors"
)

// Read reads and validates the model at path. Its errors begin with the path
// and wrap one of this package's, or the file system's.
func Read(path string) (*Model, error) {
	f, err := safetensors.ReadFile(path)
	if errors.Is(err, safetensors.ErrFormat) {
		return nil, fmt.Errorf("modelfile: %s: %w", path, notReadable(err, head(path)))
	}
	if err != nil {
		return nil, err
	}
	m, err := fromFile(f)
	if err != nil {
		return nil, fmt.Errorf("modelfile: %s: %w", path, err)
	}
	return m, nil
}

// Parse reads a model that is already in memory; name stands for it in errors.
// The model shares nothing with b.
func Parse(b []byte, name string) (*Model, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("modelfile: %s: %w", name, notReadable(err, b[:min(len(b), sniffLen)]))
	}
	m, err := fromFile(f)
	if err != nil {
		return nil, fmt.Errorf("modelfile: %s: %w", name, err)
	}
	return m, nil
}

// sniffLen bytes tell a damaged model from some other file.
const sniffLen = 256

func head(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, sniffLen)
	n, _ := io.ReadFull(f, b)
	return b[:n]
}

// notReadable says of a file that is no valid safetensors whether it was a
// Seedge model once: its metadata come first, and this project's keys in them.
func notReadable(err error, head []byte) error {
	if bytes.Contains(head, []byte(`"seedge.`)) {
		return fmt.Errorf("%w: %w; copy or download the file again", ErrCorrupt, err)
	}
	return fmt.Errorf("%w: %w; make a model from a checkpoint with `seedge import`", ErrFormat, err)
}

func fromFile(f *safetensors.File) (*Model, error) {
	version, ok := f.Metadata[keyVersion]
	if !ok {
		return nil, fmt.Errorf("%w: a safetensors file without %s, probably a checkpoint; make a model of it with `seedge import`", ErrFormat, keyVersion)
	}
	// The version comes before the checksum, which is only known to be computed
	// in this way in files of this major version.
	newer, err := newerMinor(version)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(f.Metadata, newer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if got, want := checksum(f), f.Metadata[keyChecksum]; got != want {
		return nil, fmt.Errorf("%w: the content has %s, the file says %q; it was altered or damaged, copy or download it again", ErrChecksum, got, want)
	}
	m, err := build(f, reader{extra: newer})
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return m, nil
}

func build(f *safetensors.File, r reader) (*Model, error) {
	m := &Model{Name: f.Metadata[keyName], Precision: Precision(f.Metadata[keyPrecision])}
	if err := r.decode(keyPreprocess, f.Metadata[keyPreprocess], &m.Preprocess); err != nil {
		return nil, err
	}
	if err := r.decode(keyLabels, f.Metadata[keyLabels], &m.Labels); err != nil {
		return nil, err
	}
	if err := r.decode(keyProvenance, f.Metadata[keyProvenance], &m.Provenance); err != nil {
		return nil, err
	}
	if len(m.Labels) == 0 {
		m.Labels = nil
	}
	if len(m.Provenance) == 0 {
		m.Provenance = nil
	}
	var j graphJSON
	if err := r.decode(keyGraph, f.Metadata[keyGraph], &j); err != nil {
		return nil, err
	}
	if len(j.Nodes) >= maxNodes {
		return nil, fmt.Errorf("%s: %d nodes, at most %d are allowed", keyGraph, len(j.Nodes), maxNodes-1)
	}
	arrays := newTensors(f)
	var err error
	switch m.Precision {
	case Int8:
		m.Quantised, err = decodeQuantised(j, r, arrays)
	case Float32, FP16:
		m.Graph, err = decodeGraph(j, r, arrays, m.Precision)
	default:
		return nil, fmt.Errorf("%s is %q, want %s, %s or %s", keyPrecision, m.Precision, Float32, FP16, Int8)
	}
	if err != nil {
		return nil, err
	}
	return m, arrays.empty()
}
