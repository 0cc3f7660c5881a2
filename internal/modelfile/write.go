package modelfile

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/seedge/seedge/internal/safetensors"
)

// Write writes the model to path, atomically: the file is there whole, or what
// was there before still is. The model is checked first.
func Write(path string, m *Model) error {
	f, err := m.file()
	if err != nil {
		return fmt.Errorf("modelfile: writing %s: %w", path, err)
	}
	return safetensors.WriteFile(path, f)
}

// Encode returns the bytes that Write writes. They depend on the model alone.
func Encode(m *Model) ([]byte, error) {
	f, err := m.file()
	if err != nil {
		return nil, fmt.Errorf("modelfile: %w", err)
	}
	return safetensors.Encode(f)
}

func (m *Model) file() (*safetensors.File, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	var (
		graph  graphJSON
		arrays []safetensors.Tensor
		err    error
	)
	if m.Precision == Int8 {
		graph, arrays, err = encodeQuantised(m.Quantised)
	} else {
		graph, arrays, err = encodeGraph(m.Graph, m.Precision)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	meta := map[string]string{
		keyVersion:   fmt.Sprintf("%d.%d", versionMajor, versionMinor),
		keyName:      m.Name,
		keyPrecision: string(m.Precision),
	}
	labels := append([]string{}, m.Labels...)
	provenance := map[string]string{}
	maps.Copy(provenance, m.Provenance)
	for key, v := range map[string]any{
		keyGraph: graph, keyPreprocess: m.Preprocess, keyLabels: labels, keyProvenance: provenance,
	} {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrModel, key, err)
		}
		if len(text) > maxJSON {
			return nil, fmt.Errorf("%w: %s takes %d bytes, at most %d are allowed", ErrModel, key, len(text), maxJSON)
		}
		meta[key] = string(text)
	}
	f := &safetensors.File{Metadata: meta, Tensors: arrays}
	meta[keyChecksum] = checksum(f)
	return f, nil
}
