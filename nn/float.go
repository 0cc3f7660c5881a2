package nn

import "fmt"

// Float runs a graph in float32 with plain loops, one image at a time. It is the
// reference for accuracy and what float and fp16 models run on. Not safe for
// concurrent use; make one per goroutine, they share the graph's weights.
type Float struct {
	graph *Graph
	out   []Tensor
	in    [][]Tensor
	tmp   scratch
}

// NewFloat checks the graph and allocates every node's output.
func NewFloat(g *Graph) (*Float, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	f := &Float{graph: g, out: make([]Tensor, len(g.Nodes)), in: make([][]Tensor, len(g.Nodes))}
	for id, n := range g.Nodes {
		f.out[id] = NewTensor(n.Shape)
		for _, from := range n.Inputs {
			f.in[id] = append(f.in[id], f.out[from])
		}
	}
	return f, nil
}

// Run computes every node for one image, NHWC, and returns the last one's
// output, which stays valid until the next Run.
func (f *Float) Run(image []float32) ([]float32, error) {
	if len(image) != len(f.out[0].Data) {
		return nil, fmt.Errorf("nn: the image has %d values, want %d (%s)", len(image), len(f.out[0].Data), f.out[0].Shape)
	}
	copy(f.out[0].Data, image)
	for id, n := range f.graph.Nodes[1:] {
		n.Op.forward(f.in[id+1], f.out[id+1], &f.tmp)
	}
	return f.out[len(f.out)-1].Data, nil
}

// Output returns node id's output of the latest Run.
func (f *Float) Output(id int) Tensor { return f.out[id] }

// scratch lends operations temporary memory, so that a run allocates nothing
// once the largest need has been seen. What was lent is void at the next call.
type scratch struct {
	f32 []float32
	f64 []float64
}

func (s *scratch) singles(n int) []float32 {
	if cap(s.f32) < n {
		s.f32 = make([]float32, n)
	}
	return s.f32[:n]
}

func (s *scratch) doubles(n int) []float64 {
	if cap(s.f64) < n {
		s.f64 = make([]float64, n)
	}
	return s.f64[:n]
}
