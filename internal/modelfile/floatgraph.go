package modelfile

import (
	"encoding/json"
	"fmt"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

// encodeGraph splits a float graph into its description and its arrays.
func encodeGraph(g *nn.Graph, p Precision) (graphJSON, []safetensors.Tensor, error) {
	out := graphJSON{Input: g.Input(), Nodes: []nodeJSON{}}
	if g.Features != 0 {
		out.Features = g.Nodes[g.Features].Name
	}
	var arrays []safetensors.Tensor
	for _, n := range g.Nodes[1:] {
		node, err := encodeNode(n.Name, n.Op.Kind(), n.Op, n.Shape)
		if err != nil {
			return graphJSON{}, nil, err
		}
		for _, from := range n.Inputs {
			node.Inputs = append(node.Inputs, g.Nodes[from].Name)
		}
		out.Nodes = append(out.Nodes, node)
		for _, param := range n.Op.Params() {
			make := safetensors.NewF32
			if p == FP16 {
				make = halves
			}
			t, err := make(n.Name+"."+param.Name, param.Shape, *param.Data)
			if err != nil {
				return graphJSON{}, nil, err
			}
			arrays = append(arrays, t)
		}
	}
	return out, arrays, nil
}

func encodeNode(name, kind string, op any, shape nn.Shape) (nodeJSON, error) {
	attributes, err := json.Marshal(op)
	if err != nil {
		return nodeJSON{}, fmt.Errorf("node %q: %w", name, err)
	}
	return nodeJSON{Name: name, Kind: kind, Attributes: attributes, Inputs: []string{}, Shape: shape}, nil
}

// decodeGraph builds the graph through Graph.Add, which infers and limits every
// shape before an array is looked at.
func decodeGraph(j graphJSON, r reader, arrays *tensors, p Precision) (*nn.Graph, error) {
	g := nn.NewGraph(j.Input)
	if err := g.Err(); err != nil {
		return nil, err
	}
	dtype := safetensors.F32
	if p == FP16 {
		dtype = safetensors.F16
	}
	for _, n := range j.Nodes {
		op, err := nn.NewOp(n.Kind)
		if err == nil {
			err = r.decode("attributes", string(n.Attributes), op)
		}
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Kind, err)
		}
		inputs, err := lookup(n, g.Lookup)
		if err != nil {
			return nil, err
		}
		id := g.Add(n.Name, op, inputs...)
		if err := g.Err(); err != nil {
			return nil, err
		}
		if got := g.Nodes[id].Shape; got != n.Shape {
			return nil, fmt.Errorf("node %q: shape %s in the file, but its operation gives %s", n.Name, n.Shape, got)
		}
		for _, param := range op.Params() {
			if err := arrays.floats(n.Name+"."+param.Name, dtype, param.Shape, param.Data); err != nil {
				return nil, err
			}
		}
	}
	var err error
	g.Features, err = features(j, g.Lookup)
	return g, err
}

// lookup finds a node's inputs, which must stand before it.
func lookup(n nodeJSON, find func(string) (int, bool)) ([]int, error) {
	ids := make([]int, len(n.Inputs))
	for i, name := range n.Inputs {
		id, ok := find(name)
		if !ok {
			return nil, fmt.Errorf("node %q: input %d, %q, is no earlier node", n.Name, i, name)
		}
		ids[i] = id
	}
	return ids, nil
}

func features(j graphJSON, find func(string) (int, bool)) (int, error) {
	if j.Features == "" {
		return 0, nil
	}
	id, ok := find(j.Features)
	if !ok || id == 0 {
		return 0, fmt.Errorf("features: %q is no node with an output to embed with", j.Features)
	}
	return id, nil
}
