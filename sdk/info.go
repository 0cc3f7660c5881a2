package sdk

import (
	"maps"
	"slices"

	"github.com/seedge/seedge/internal/modelfile"
)

// Info describes a model.
type Info struct {
	Name      string // architecture, for example "mobilenet_v3_large"
	Precision string // "float32", "fp16" or "int8"
	// Width and Height are the network's input in pixels. Images of any size
	// are resized and cropped to it.
	Width, Height int
	Classes       int
	Labels        []string // one per class, or none
	Features      int      // length of the embedding, 0 where there is none
	Parameters    int64    // learned ones
	MACs          int64    // multiply-accumulates per image
	Preprocess    Preprocess
	Provenance    map[string]string // where the model comes from, free text
}

// Preprocess is what happens to an image before the network sees it.
type Preprocess struct {
	Resize        int        // length of the shorter side after resizing, 0: not resized
	Interpolation string     // "bilinear" or "bicubic", with antialias
	Mean, Std     [3]float32 // (v/255 - Mean) / Std, red, green, blue
}

// Info returns the model's description; it is the caller's to change. It works
// on a closed model too.
func (m *Model) Info() Info {
	i := m.info
	i.Labels, i.Provenance = slices.Clone(i.Labels), maps.Clone(i.Provenance)
	return i
}

func newInfo(m *modelfile.Model) Info {
	in, cost, p := m.Input(), m.Cost(), m.Preprocess
	i := Info{
		Name: m.Name, Precision: string(m.Precision), Width: in.W, Height: in.H,
		Classes: m.Classes(), Labels: m.Labels, Parameters: cost.Params, MACs: cost.MACs, Provenance: m.Provenance,
		Preprocess: Preprocess{Resize: p.Resize, Interpolation: p.Interpolation, Mean: p.Mean, Std: p.Std},
	}
	if shape, ok := m.Features(); ok {
		i.Features = shape.Len()
	}
	return i
}
