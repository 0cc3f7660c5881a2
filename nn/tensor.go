package nn

import "fmt"

// Shape is the extent of one image's activations in NHWC order (N is 1).
// Vectors have H = W = 1.
type Shape struct {
	H int `json:"h"`
	W int `json:"w"`
	C int `json:"c"`
}

// Len is the number of elements.
func (s Shape) Len() int { return s.H * s.W * s.C }

// valid reports whether every extent is within bounds. The product is taken in
// 64 bits: on a 32-bit CPU Len of a hostile shape would wrap round.
func (s Shape) valid() bool {
	return s.H >= 1 && s.W >= 1 && s.C >= 1 && s.H <= maxDim && s.W <= maxDim && s.C <= maxDim &&
		int64(s.H)*int64(s.W)*int64(s.C) <= maxElements
}

func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C) }

// Tensor holds float32 activations of one image, NHWC: element (y, x, c) is
// Data[(y*W+x)*C+c].
type Tensor struct {
	Shape
	Data []float32
}

// NewTensor returns a zeroed tensor.
func NewTensor(s Shape) Tensor { return Tensor{Shape: s, Data: make([]float32, s.Len())} }
