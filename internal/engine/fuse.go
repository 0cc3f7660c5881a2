package engine

import (
	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// groups says which nodes are computed together. A tensor that is only read
// within a group is never written as a whole.
type groups struct {
	absorbed map[int]bool                      // nodes whose tensor does not exist
	bands    map[int]band                      // by last node
	scaled   map[int]int                       // pointwise convolutions that multiply with a gate, and its node
	summed   map[int]bool                      // squeeze-and-excitations so far whose input adds itself up
	packed   map[int]*kernel.SqueezeExcitation // of the squeeze-and-excitations so far
}

// band is nodes that are computed a band of rows at a time; 0 is none.
type band struct{ expand, depthwise, project, squeeze int }

// ringWorth is how large an expanded tensor has to be, in bytes, before it pays
// to make it a band at a time: below, it fits the second cache of small boards,
// and a band has too few rows for the kernels.
const ringWorth = 160 << 10

// fuse finds what can be computed together.
func fuse(q *nn.Quantised, needed []bool, limits bands) groups {
	f := groups{map[int]bool{}, map[int]band{}, map[int]int{}, map[int]bool{}, map[int]*kernel.SqueezeExcitation{}}
	readers := make([][]int, len(q.Nodes))
	for id, n := range q.Nodes {
		if needed[id] {
			for _, from := range n.Inputs {
				readers[from] = append(readers[from], id)
			}
		}
	}
	// only is the node that alone reads id's tensor, as its first input; 0 if there
	// is none.
	only := func(id int) int {
		if id == q.Features || len(readers[id]) != 1 || q.Nodes[readers[id][0]].Inputs[0] != id {
			return 0
		}
		return readers[id][0]
	}
	taken := map[int]bool{} // pointwise convolutions that are in a group
	for id, n := range q.Nodes {
		if !needed[id] {
			continue
		}
		switch op := n.Op.(type) {
		case *nn.QConv:
			if !op.Depthwise() || op.Pointwise() {
				continue
			}
			b, last := band{depthwise: id}, id
			if from := n.Inputs[0]; only(from) == id && !taken[from] && expands(q, from, op) && q.Nodes[from].Out.Shape.Len() >= limits.worth {
				b.expand = from
				f.absorbed[from] = true
			}
			if to := only(id); to != 0 && !op.Residual && pointwise(q, to) && n.Out.Shape.W >= leastRow {
				b.project, last = to, to
				f.absorbed[id], taken[to] = true, true
			}
			for _, se := range readers[id] {
				if _, ok := q.Nodes[se].Op.(*nn.QSqueezeExcite); ok {
					b.squeeze = se
					break
				}
			}
			f.bands[last] = b
		case *nn.QSqueezeExcite:
			if to := only(id); to != 0 && pointwise(q, to) && !heavy(q, to) {
				f.absorbed[id], taken[to] = true, true
				f.scaled[to] = id
			}
		}
	}
	return f
}

func pointwise(q *nn.Quantised, id int) bool {
	op, ok := q.Nodes[id].Op.(*nn.QConv)
	return ok && op.Pointwise()
}

// fewPixels is where a pointwise convolution has too few tiles of pixels for
// threads to share: they share its columns, and each needs all pixels.
const fewPixels = 32

// heavy tells whether that is so, and weights outweigh pixels, for pointwise
// convolution id.
func heavy(q *nn.Quantised, id int) bool {
	op, out := q.Nodes[id].Op.(*nn.QConv), q.Nodes[id].Out.Shape
	return out.H*out.W < fewPixels && op.In*op.Out > out.H*out.W*(op.In+op.Out)
}

// leastRow is the least number of pixels that every product kernel takes.
const leastRow = 8

// expands tells whether node id is a pointwise convolution that can be made a
// band at a time for depthwise convolution op. There is one residual in a step.
func expands(q *nn.Quantised, id int, op *nn.QConv) bool {
	return pointwise(q, id) && !q.Nodes[id].Op.(*nn.QConv).Residual && !op.Residual && q.Nodes[id].Out.Shape.W >= leastRow
}
