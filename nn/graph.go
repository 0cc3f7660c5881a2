package nn

import (
	"errors"
	"fmt"
)

// maxDim bounds every size a graph may state, so that products of sizes from a
// hostile model file cannot overflow.
const maxDim = 1 << 16

// maxElements bounds the activations of one node and the weights of one
// parameter.
const maxElements = 1 << 28

// ErrGraph is wrapped by every error about a wrong graph.
var ErrGraph = errors.New("invalid graph")

// Node is one operation and where its inputs come from.
type Node struct {
	Name   string
	Op     Op    // nil for node 0, the input
	Inputs []int // indices into Graph.Nodes, all below this node's own
	Shape  Shape // of the output, inferred
}

// Graph is a network: nodes in topological order. Node 0 is the input image,
// the last node the output (the logits of a classifier).
type Graph struct {
	Nodes []Node
	// Features is the node whose output is the embedding: the pooled features
	// before the classifier. 0 where the network has none.
	Features int

	err   error
	names map[string]int
}

// NewGraph starts a graph whose input has the shape in.
func NewGraph(in Shape) *Graph {
	g := &Graph{names: map[string]int{"input": 0}}
	g.Nodes = []Node{{Name: "input", Shape: in}}
	if !in.valid() {
		g.err = fmt.Errorf("nn: input shape %s, want 1 to %d each and at most %d elements: %w", in, maxDim, maxElements, ErrGraph)
	}
	return g
}

// Add appends a node and returns its index. The first mistake is kept, later
// calls do nothing, and Err reports it: builders need one check at the end.
func (g *Graph) Add(name string, op Op, inputs ...int) int {
	if g.err != nil {
		return 0
	}
	if op == nil {
		g.err = fmt.Errorf("nn: node %q: %w: no operation", name, ErrGraph)
		return 0
	}
	if err := g.add(name, op, inputs); err != nil {
		g.err = fmt.Errorf("nn: node %q (%s): %w: %w", name, op.Kind(), ErrGraph, err)
		return 0
	}
	return len(g.Nodes) - 1
}

func (g *Graph) add(name string, op Op, inputs []int) error {
	if name == "" {
		return errors.New("no name")
	}
	if _, twice := g.names[name]; twice {
		return errors.New("name used twice")
	}
	in := make([]Shape, len(inputs))
	for i, id := range inputs {
		if id < 0 || id >= len(g.Nodes) {
			return fmt.Errorf("input %d is node %d, want 0 to %d", i, id, len(g.Nodes)-1)
		}
		in[i] = g.Nodes[id].Shape
	}
	out, err := op.Infer(in)
	if err != nil {
		return err
	}
	if !out.valid() {
		return fmt.Errorf("output %s is too large, want at most %d each and %d elements", out, maxDim, maxElements)
	}
	g.names[name] = len(g.Nodes)
	g.Nodes = append(g.Nodes, Node{Name: name, Op: op, Inputs: append([]int(nil), inputs...), Shape: out})
	return nil
}

// Err returns the first mistake made while building.
func (g *Graph) Err() error { return g.err }

// Lookup returns the index of a node by name.
func (g *Graph) Lookup(name string) (int, bool) {
	id, ok := g.names[name]
	return id, ok
}

// Input is the shape of the input image.
func (g *Graph) Input() Shape { return g.Nodes[0].Shape }

// Output is the last node.
func (g *Graph) Output() Node { return g.Nodes[len(g.Nodes)-1] }

// InputShapes returns the shapes of a node's inputs.
func (g *Graph) InputShapes(id int) []Shape {
	n := g.Nodes[id]
	in := make([]Shape, len(n.Inputs))
	for i, from := range n.Inputs {
		in[i] = g.Nodes[from].Shape
	}
	return in
}

// Consumers returns, for every node, the nodes that read it.
func (g *Graph) Consumers() [][]int {
	users := make([][]int, len(g.Nodes))
	for id, n := range g.Nodes {
		for _, from := range n.Inputs {
			users[from] = append(users[from], id)
		}
	}
	return users
}

// Check reports a parameter that is missing, has the wrong length, or has a
// value that cannot be used (not finite, a negative variance): a graph that
// passes can run. Errors wrap ErrGraph.
func (g *Graph) Check() error {
	if g.err != nil {
		return g.err
	}
	if len(g.Nodes) < 2 {
		return fmt.Errorf("nn: the graph has no operations: %w", ErrGraph)
	}
	if g.Features < 0 || g.Features >= len(g.Nodes) {
		return fmt.Errorf("nn: features are node %d, want 0 to %d: %w", g.Features, len(g.Nodes)-1, ErrGraph)
	}
	for _, n := range g.Nodes[1:] {
		for _, p := range n.Op.Params() {
			if len(*p.Data) != p.Len() {
				return fmt.Errorf("nn: %s.%s has %d elements, want %d (%v): %w", n.Name, p.Name, len(*p.Data), p.Len(), p.Shape, ErrGraph)
			}
			for i, v := range *p.Data {
				if v-v != 0 {
					return fmt.Errorf("nn: %s.%s[%d] is %g, want a finite number: %w", n.Name, p.Name, i, v, ErrGraph)
				}
				if p.Variance && v < 0 {
					return fmt.Errorf("nn: %s.%s[%d] is %g, want a variance, 0 or more: %w", n.Name, p.Name, i, v, ErrGraph)
				}
			}
		}
	}
	return nil
}
