package modelfile

import (
	"fmt"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

// encodeQuantised splits an int8 network into its description and its arrays.
func encodeQuantised(q *nn.Quantised) (graphJSON, []safetensors.Tensor, error) {
	out := graphJSON{Input: q.Nodes[0].Out.Shape, Nodes: []nodeJSON{}}
	if q.Features != 0 {
		out.Features = q.Nodes[q.Features].Name
	}
	var arrays []safetensors.Tensor
	for id, n := range q.Nodes {
		params := steps(&n.Out)
		if id > 0 {
			node, err := encodeNode(n.Name, n.Op.Kind(), n.Op, n.Out.Shape)
			if err != nil {
				return graphJSON{}, nil, err
			}
			in := make([]nn.QTensor, len(n.Inputs))
			for i, from := range n.Inputs {
				in[i] = q.Nodes[from].Out
				node.Inputs = append(node.Inputs, q.Nodes[from].Name)
			}
			out.Nodes = append(out.Nodes, node)
			if floatOutput(n.Op) {
				params = nil
			}
			params = append(params, n.Op.Params(in, n.Out)...)
		}
		for _, p := range params {
			t, err := qtensor(n.Name+"."+p.Name, p)
			if err != nil {
				return graphJSON{}, nil, err
			}
			arrays = append(arrays, t)
		}
	}
	return out, arrays, nil
}

// steps are the scales and zero points of an activation tensor.
func steps(t *nn.QTensor) []nn.QParam {
	shape := []int{t.Shape.C}
	return []nn.QParam{{Name: "scale", Shape: shape, Float: &t.Scale}, {Name: "zero", Shape: shape, Int8: &t.Zero}}
}

// floatOutput reports whether an operation gives logits instead of int8.
func floatOutput(op nn.QOp) bool {
	l, ok := op.(*nn.QLinear)
	return ok && l.Float
}

// decodeQuantised trusts the shapes that the file states only as far as tensors
// of these shapes exist; nn.Quantised.Check, which Model.Check calls, then
// infers them all.
func decodeQuantised(j graphJSON, r reader, arrays *tensors) (*nn.Quantised, error) {
	q := &nn.Quantised{Nodes: []nn.QNode{{Name: inputName, Out: nn.QTensor{Shape: j.Input}}}}
	ids := map[string]int{inputName: 0}
	find := func(name string) (int, bool) { id, ok := ids[name]; return id, ok }
	if err := arrays.node(inputName, steps(&q.Nodes[0].Out)); err != nil {
		return nil, err
	}
	for _, n := range j.Nodes {
		if _, twice := ids[n.Name]; twice {
			return nil, fmt.Errorf("two nodes are called %q", n.Name)
		}
		op, err := nn.NewQOp(n.Kind)
		if err == nil {
			err = r.decode("attributes", string(n.Attributes), op)
		}
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Kind, err)
		}
		inputs, err := lookup(n, find)
		if err != nil {
			return nil, err
		}
		in := make([]nn.QTensor, len(inputs))
		for i, from := range inputs {
			in[i] = q.Nodes[from].Out
		}
		// The weights' shape divides by the number of groups.
		if c, ok := op.(*nn.QConv); ok && c.Groups < 1 {
			return nil, fmt.Errorf("node %q: %d groups, want 1 or more", n.Name, c.Groups)
		}
		ids[n.Name] = len(q.Nodes)
		q.Nodes = append(q.Nodes, nn.QNode{Name: n.Name, Op: op, Inputs: inputs, Out: nn.QTensor{Shape: n.Shape}})
		out := &q.Nodes[len(q.Nodes)-1].Out
		params := op.Params(in, *out)
		if !floatOutput(op) {
			params = append(params, steps(out)...)
		}
		if err := arrays.node(n.Name, params); err != nil {
			return nil, err
		}
	}
	var err error
	q.Features, err = features(j, find)
	return q, err
}

func (t *tensors) node(name string, params []nn.QParam) error {
	for _, p := range params {
		if err := t.param(name+"."+p.Name, p); err != nil {
			return err
		}
	}
	return nil
}
