package quant

import (
	"fmt"
	"slices"

	"github.com/seedge/seedge/nn"
)

// step is one integer node to be: a convolution or linear layer with the
// residual and the activation behind it, or any other operation.
type step struct {
	base int // the folded graph's node that does the work
	add  int // the residual addition it takes up, or 0
	act  int // the activation it takes up, or 0
	out  int // the node whose output the step computes
}

// plan groups the nodes of a folded graph into steps, in topological order. A
// node is taken up only by the one node that feeds it, so every tensor that
// someone else reads still exists.
func plan(g *nn.Graph) ([]step, error) {
	users := g.Consumers()
	last := logitsNode(g)
	if l, ok := g.Nodes[last].Op.(*nn.Linear); !ok {
		return nil, fmt.Errorf("quantise: the network ends in %q (%T), want a linear layer that gives the logits", g.Nodes[last].Name, l)
	}
	// only returns the single reader of a node, or 0.
	only := func(id int) int {
		if len(users[id]) == 1 && id != g.Features {
			return users[id][0]
		}
		return 0
	}
	activation := func(id int, allowed ...nn.Func) int {
		if next := only(id); next != 0 {
			if a, ok := g.Nodes[next].Op.(*nn.Activation); ok && slices.Contains(allowed, a.Func) {
				return next
			}
		}
		return 0
	}
	taken := make([]bool, len(g.Nodes))
	var steps []step
	for id := 1; id <= last; id++ {
		if taken[id] {
			continue
		}
		n := g.Nodes[id]
		s := step{base: id, out: id}
		switch n.Op.(type) {
		case *nn.Conv2D:
			next := only(id)
			if next != 0 && isAdd(g, next) && id == max(g.Nodes[next].Inputs[0], g.Nodes[next].Inputs[1]) {
				s.add, s.out = next, next
			}
			s.act = activation(s.out, nn.ReLU, nn.ReLU6, nn.HardSwish)
		case *nn.Linear:
			if id != last {
				s.act = activation(id, nn.ReLU, nn.ReLU6, nn.HardSwish)
			}
		case *nn.Add:
			s.act = activation(id, nn.ReLU)
		case *nn.Softmax, *nn.BatchNorm:
			return nil, fmt.Errorf("quantise: %s in the middle of the network at %q has no integer form", n.Op.Kind(), n.Name)
		}
		if s.act != 0 {
			s.out = s.act
		}
		taken[s.add], taken[s.act] = true, true
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.out - b.out })
	return steps, nil
}

// logitsNode is the node that gives the output: the last one, or the one before
// a closing softmax, since probabilities are the caller's.
func logitsNode(g *nn.Graph) int {
	last := len(g.Nodes) - 1
	if _, ok := g.Nodes[last].Op.(*nn.Softmax); ok {
		last--
	}
	return last
}

func isAdd(g *nn.Graph, id int) bool {
	_, ok := g.Nodes[id].Op.(*nn.Add)
	return ok && g.Nodes[id].Inputs[0] != g.Nodes[id].Inputs[1]
}

// function is the activation a step ends with.
func (s step) function(g *nn.Graph) nn.Func {
	if s.act == 0 {
		return nn.Identity
	}
	return g.Nodes[s.act].Op.(*nn.Activation).Func
}

// inputs are the nodes that a step reads.
func (s step) inputs(g *nn.Graph) []int {
	in := g.Nodes[s.base].Inputs
	if s.add == 0 {
		return in
	}
	return []int{in[0], s.residual(g)}
}

// residual is the node that a step adds.
func (s step) residual(g *nn.Graph) int {
	in := g.Nodes[s.add].Inputs
	if in[0] == s.base {
		return in[1]
	}
	return in[0]
}

// pointWindow is a linear layer's geometry.
func pointWindow(in, out int) nn.Window {
	return nn.Window{In: in, Out: out, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}
}
