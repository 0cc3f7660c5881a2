package nn

// Cost is what a node, or a whole graph, takes.
type Cost struct {
	Params int64 // learned parameters; running statistics are not counted
	MACs   int64 // multiply-accumulates for one image
}

// Cost returns a node's share.
func (g *Graph) Cost(id int) Cost {
	op := g.Nodes[id].Op
	if op == nil {
		return Cost{}
	}
	var c Cost
	for _, p := range op.Params() {
		if !p.Buffer {
			c.Params += int64(p.Len())
		}
	}
	c.MACs = op.MACs(g.InputShapes(id), g.Nodes[id].Shape)
	return c
}

// Total sums the nodes that keep accepts; nil accepts all.
func (g *Graph) Total(keep func(Node) bool) Cost {
	var sum Cost
	for id, n := range g.Nodes {
		if keep == nil || keep(n) {
			c := g.Cost(id)
			sum.Params += c.Params
			sum.MACs += c.MACs
		}
	}
	return sum
}

// IsSqueezeExcite selects the squeeze-and-excitation nodes, for Total.
func IsSqueezeExcite(n Node) bool {
	_, ok := n.Op.(*SqueezeExcite)
	return ok
}
