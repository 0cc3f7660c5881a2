package engine

import (
	"slices"

	"github.com/seedge/seedge/nn"
)

// features says where the embedding comes from.
type features struct {
	node   int
	length int  // of the embedding, where it has a buffer of its own
	logits bool // the logits are the embedding
	// stays: the tensor is kept to the end of a run and dequantised on demand.
	// Otherwise the node is a pool, which writes the embedding itself.
	stays bool
	scale []float32
	zero  []int8
}

func featuresOf(q *nn.Quantised) features {
	f := features{node: q.Features}
	n := q.Nodes[q.Features]
	_, pool := n.Op.(*nn.QPool)
	switch {
	case f.node == 0:
		return f
	case f.node == len(q.Nodes)-1:
		f.logits = true
		return f
	case !pool:
		f.stays = true
		f.scale, f.zero = slices.Clone(n.Out.Scale), slices.Clone(n.Out.Zero)
	}
	f.length = n.Out.Shape.Len()
	return f
}
