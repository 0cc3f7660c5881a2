package nn

// Cost returns a node's share: weights and biases are counted as parameters,
// multipliers, scales and zero points are not.
func (q *Quantised) Cost(id int) Cost {
	switch op := q.Nodes[id].Op.(type) {
	case *QConv:
		return Cost{int64(len(op.Weight) + len(op.Bias)), op.Window.MACs(q.Nodes[id].Out.Shape)}
	case *QLinear:
		return Cost{int64(len(op.Weight) + len(op.Bias)), int64(op.In) * int64(op.Out)}
	case *QSqueezeExcite:
		weights := int64(len(op.Reduce) + len(op.Expand))
		return Cost{weights + int64(len(op.ReduceBias)+len(op.ExpandBias)), weights}
	}
	return Cost{}
}
