package nn

// Op is what a node computes. The layers of this package are all there are;
// CONTRIBUTING.md says what adding one takes.
type Op interface {
	// Kind is the operation's name in model files and listings.
	Kind() string
	// Infer returns the output's shape, or why the inputs do not fit.
	Infer(in []Shape) (Shape, error)
	// Params lists the parameters in the order they are stored.
	Params() []Param
	// MACs counts multiply-accumulates of convolutions and fully connected
	// layers for one image, the convention of the paper's tables: additions,
	// pooling, scaling, normalisation and activations count nothing.
	MACs(in []Shape, out Shape) int64

	forward(in []Tensor, out Tensor, tmp *scratch)
}

// Param is one named parameter array of an operation. Data points at the
// operation's field, so that loaders can fill it; it is nil until loaded.
type Param struct {
	Name   string
	Shape  []int
	Data   *[]float32
	Buffer bool // running statistics: stored, but not counted as learned
	// Variance marks values that cannot be negative.
	Variance bool
}

// Len is the number of elements that Shape stands for.
func (p Param) Len() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}
