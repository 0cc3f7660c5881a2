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

func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C) }

// Tensor holds float32 activations of one image, NHWC: element (y, x, c) is
// Data[(y*W+x)*C+c].
type Tensor struct {
	Shape
	Data []float32
}

// NewTensor returns a zeroed tensor.
func NewTensor(s Shape) Tensor { return Tensor{Shape: s, Data: make([]float32, s.Len())} }
