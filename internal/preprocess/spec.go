package preprocess

import (
	"fmt"
	"math"
)

// The filters a [Spec] may name. Both widen with the reduction (antialiasing),
// as Pillow's do.
const (
	Bilinear = "bilinear" // triangle, support 1
	Bicubic  = "bicubic"  // Keys's cubic with a = -0.5, support 2
)

// maxSide bounds Resize, Width and Height, in pixels. It is far above any input
// that a network takes, and keeps a hostile model file from asking for gigabytes.
const maxSide = 8192

// Spec is how images were prepared when the weights were trained. It belongs to
// the checkpoint and travels in the model file.
type Spec struct {
	// Resize is the length of the shorter side after resizing, in pixels; the
	// longer one keeps the aspect ratio, rounded down. 0 means no resizing.
	Resize int `json:"resize"`

	// Width and Height are the size of the centre crop, which is the network's
	// input, in pixels. Where the resized image is smaller, black fills the rest.
	Width  int `json:"width"`
	Height int `json:"height"`

	// Interpolation is [Bilinear] or [Bicubic].
	Interpolation string `json:"interpolation"`

	// Mean and Std normalise: (pixel/255 - Mean) / Std, in the order R, G, B.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}

// Validate reports the first thing wrong with s, as an error wrapping [ErrSpec].
func (s Spec) Validate() error {
	if s.Resize < 0 || s.Resize > maxSide {
		return fmt.Errorf("%w: resize is %d; want 1 to %d pixels, or 0 for none", ErrSpec, s.Resize, maxSide)
	}
	if s.Width < 1 || s.Width > maxSide || s.Height < 1 || s.Height > maxSide {
		return fmt.Errorf("%w: crop is %d x %d; want sides of 1 to %d pixels", ErrSpec, s.Width, s.Height, maxSide)
	}
	if _, err := filterNamed(s.Interpolation); err != nil {
		return err
	}
	for c, name := range [3]string{"red", "green", "blue"} {
		if m := float64(s.Mean[c]); math.IsNaN(m) || math.IsInf(m, 0) {
			return fmt.Errorf("%w: mean of %s is %v; want a finite number", ErrSpec, name, m)
		}
		// The smallest normal float32: dividing by less would overflow.
		if d := float64(s.Std[c]); !(d >= 0x1p-126) || math.IsInf(d, 0) {
			return fmt.Errorf("%w: standard deviation of %s is %v; want a positive, finite number", ErrSpec, name, d)
		}
	}
	if levels := s.Levels(); !finite(&levels) {
		return fmt.Errorf("%w: mean %v and standard deviation %v overflow float32", ErrSpec, s.Mean, s.Std)
	}
	return nil
}

// Levels gives the normalised value of every 8-bit level, per channel in the
// order R, G, B. The operations and their order are those of torchvision's
// ToTensor and Normalize, each rounded to float32: divide by 255, subtract the
// mean, divide by the standard deviation. [Processor.Float] yields exactly these
// values, so a table for [Processor.Int8] is made by quantising them.
func (s Spec) Levels() [3][256]float32 {
	var t [3][256]float32
	for c := range t {
		for v := range t[c] {
			unit := float32(v) / 255
			centred := unit - s.Mean[c]
			t[c][v] = centred / s.Std[c]
		}
	}
	return t
}

func finite(t *[3][256]float32) bool {
	for c := range t {
		for _, v := range t[c] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return false
			}
		}
	}
	return true
}
