package modelfile

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// Precision is what a model's weights and arithmetic are.
type Precision string

// The precisions, as model files and the command line spell them.
const (
	Float32 Precision = "float32" // weights and arithmetic in float32
	FP16    Precision = "fp16"    // weights stored in IEEE half precision
	Int8    Precision = "int8"    // integer network, docs/arithmetic.md
)

// Limits on what a model may hold, so that no file can ask for absurd work.
const (
	maxNodes = 10_000
	maxDim   = 1 << 16
	// maxActivations bounds the elements of all nodes' outputs together. The
	// float reference keeps them all, four bytes each.
	maxActivations = 1 << 30
)

// Model is a network with everything needed to use it on images.
type Model struct {
	Name       string        // architecture, for example "mobilenet_v3_large"
	Precision  Precision     //
	Graph      *nn.Graph     // float32 and fp16, otherwise nil
	Quantised  *nn.Quantised // int8, otherwise nil
	Preprocess preprocess.Spec
	Labels     []string // one per class, or none
	// Provenance is free text by key: source checkpoint and its SHA-256, tool
	// version, calibration, date.
	Provenance map[string]string
}

// Input is the shape of the input image; C is 3, red, green and blue.
func (m *Model) Input() nn.Shape {
	if m.Quantised != nil {
		return m.Quantised.Nodes[0].Out.Shape
	}
	return m.Graph.Input()
}

// Output is the shape of the logits, 1 x 1 x classes.
func (m *Model) Output() nn.Shape {
	if m.Quantised != nil {
		return m.Quantised.Output().Out.Shape
	}
	return m.Graph.Output().Shape
}

// Classes is the number of logits.
func (m *Model) Classes() int { return m.Output().C }

// Features is the shape of the embedding, and false if the network has none.
func (m *Model) Features() (nn.Shape, bool) {
	if q := m.Quantised; q != nil {
		return q.Nodes[q.Features].Out.Shape, q.Features != 0
	}
	return m.Graph.Nodes[m.Graph.Features].Shape, m.Graph.Features != 0
}

// Cost is the network's parameters and its multiply-accumulates per image.
func (m *Model) Cost() nn.Cost {
	if m.Quantised == nil {
		return m.Graph.Total(nil)
	}
	var sum nn.Cost
	for id := range m.Quantised.Nodes {
		c := m.Quantised.Cost(id)
		sum.Params += c.Params
		sum.MACs += c.MACs
	}
	return sum
}

// Check reports the first thing that does not fit. A model that passes can be
// written, and what is read back is the same model. The error wraps ErrModel.
func (m *Model) Check() error {
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	return nil
}

func (m *Model) check() error {
	if m.Name == "" {
		return errors.New("the model has no name")
	}
	switch m.Precision {
	case Float32, FP16:
		if m.Graph == nil || m.Quantised != nil {
			return fmt.Errorf("a model of precision %s has a float graph and no quantised network", m.Precision)
		}
		if err := checkGraph(m.Graph); err != nil {
			return err
		}
	case Int8:
		if m.Quantised == nil || m.Graph != nil {
			return errors.New("a model of precision int8 has a quantised network and no float graph")
		}
		if err := checkQuantised(m.Quantised); err != nil {
			return err
		}
	default:
		return fmt.Errorf("precision %q, want %s, %s or %s", m.Precision, Float32, FP16, Int8)
	}
	if out := m.Output(); out.H != 1 || out.W != 1 {
		return fmt.Errorf("the network's output is %s, want a vector of logits", out)
	}
	if err := m.checkPreprocess(); err != nil {
		return err
	}
	if n := len(m.Labels); n != 0 && n != m.Classes() {
		return fmt.Errorf("%d labels for %d classes; give one label per class, in the order of the logits, or none", n, m.Classes())
	}
	return m.checkText()
}

func (m *Model) checkPreprocess() error {
	if err := m.Preprocess.Validate(); err != nil {
		return err
	}
	in := m.Input()
	if in.C != 3 {
		return fmt.Errorf("the network's input is %s, want 3 channels: red, green and blue", in)
	}
	if m.Preprocess.Height != in.H || m.Preprocess.Width != in.W {
		return fmt.Errorf("preprocessing gives %dx%d pixels (height x width), but the network wants %dx%d", m.Preprocess.Height, m.Preprocess.Width, in.H, in.W)
	}
	return nil
}

// checkText demands valid UTF-8: JSON would silently replace anything else, and
// what is read back would not be what was written.
func (m *Model) checkText() error {
	if !utf8.ValidString(m.Name) {
		return fmt.Errorf("the name %q is not valid UTF-8", m.Name)
	}
	for i, l := range m.Labels {
		if !utf8.ValidString(l) {
			return fmt.Errorf("label %d, %q, is not valid UTF-8", i, l)
		}
	}
	for k, v := range m.Provenance {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("provenance entry %q is not valid UTF-8", k)
		}
	}
	return nil
}

// checkGraph adds to nn's check what only a builder proves otherwise, that
// shapes and names are right: a Graph's nodes are open to change.
func checkGraph(g *nn.Graph) error {
	if err := g.Check(); err != nil {
		return err
	}
	names := newNames()
	for id, n := range g.Nodes {
		if err := names.add(id, n.Name, n.Shape); err != nil {
			return err
		}
		if id == 0 {
			continue
		}
		for i, from := range n.Inputs {
			if from < 0 || from >= id {
				return fmt.Errorf("node %q: input %d is node %d, want 0 to %d", n.Name, i, from, id-1)
			}
		}
		got, err := n.Op.Infer(g.InputShapes(id))
		if err != nil {
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
		if got != n.Shape {
			return fmt.Errorf("node %q: shape %s, want %s", n.Name, n.Shape, got)
		}
	}
	if _, ok := g.Output().Op.(*nn.Softmax); ok {
		return fmt.Errorf("the network ends in softmax (node %q), want it to end in the logits; leave that node out, probabilities are computed from logits anyway", g.Output().Name)
	}
	return nil
}

func checkQuantised(q *nn.Quantised) error {
	names := newNames()
	for id, n := range q.Nodes {
		if err := names.add(id, n.Name, n.Out.Shape); err != nil {
			return err
		}
	}
	return q.Check()
}

// names proves that nodes can be told apart and stay within the limits.
type names struct {
	ids         map[string]int
	activations int64
}

func newNames() *names { return &names{ids: map[string]int{}} }

func (s *names) add(id int, name string, shape nn.Shape) error {
	_, twice := s.ids[name]
	switch {
	case id == 0 && name != inputName:
		return fmt.Errorf("node 0 is called %q, want %q", name, inputName)
	case name == "":
		return fmt.Errorf("node %d has no name", id)
	case twice:
		return fmt.Errorf("two nodes are called %q", name)
	case !utf8.ValidString(name):
		return fmt.Errorf("the node name %q is not valid UTF-8", name)
	case id >= maxNodes:
		return fmt.Errorf("more than %d nodes", maxNodes)
	case min(shape.H, shape.W, shape.C) < 1 || max(shape.H, shape.W, shape.C) > maxDim:
		return fmt.Errorf("node %q: shape %s, want 1 to %d in each dimension", name, shape, maxDim)
	}
	s.ids[name] = id
	s.activations += int64(shape.H) * int64(shape.W) * int64(shape.C)
	if s.activations > maxActivations {
		return fmt.Errorf("the outputs of the nodes up to %q have more than %d elements together", name, maxActivations)
	}
	return nil
}
