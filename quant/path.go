package quant

import (
	"fmt"
	"math"

	"github.com/seedge/seedge/nn"
)

// maxHeld bounds the int8 activations of all images on the quantised path, in
// bytes.
const maxHeld = 320 << 20

// heldImages is how many images may go through the quantised path together.
func heldImages(g *nn.Graph, steps []step) int {
	left, at := readers(g, steps)
	size := []int{g.Input().Len()}
	live, most := size[0], size[0]
	for i, s := range steps {
		size = append(size, g.Nodes[s.out].Shape.Len())
		live += size[i+1]
		most = max(most, live)
		for _, from := range s.inputs(g) {
			if left[at[from]]--; left[at[from]] == 0 {
				live -= size[at[from]]
			}
		}
	}
	return max(maxHeld/most, 1)
}

// readers counts the steps that read each step's output; the input is 0 and step
// i is i+1. at is that number by node of the graph.
func readers(g *nn.Graph, steps []step) (n []int, at map[int]int) {
	n, at = make([]int, len(steps)+1), map[int]int{}
	for i, s := range steps {
		at[s.out] = i + 1
		for _, from := range s.inputs(g) {
			n[at[from]]++
		}
	}
	return n, at
}

// traveller is an image on the quantised path. Of its activations those that are
// still to be read exist.
type traveller struct {
	Reference
	free [2][]int8 // memory of those read for the last time
}

// hold quantises the first images and gives each its own activations on the
// quantised path, which all of them take together, layer by layer.
func (b *builder) hold(steps []step, most int, images Images) error {
	b.readers, _ = readers(b.graph, steps)
	logits := b.graph.Nodes[logitsNode(b.graph)].Shape.Len()
	for image, err := range images {
		if err != nil {
			return fmt.Errorf("quantise: image %d: %w", len(b.batch), err)
		}
		r := &traveller{Reference: Reference{net: &b.q, data: make([][]int8, len(steps)+1), logits: make([]float32, logits)}}
		r.data[0] = b.tensors[0].quantise(image)
		if b.batch = append(b.batch, r); len(b.batch) == min(most, b.seen.images) {
			break
		}
	}
	return nil
}

// advance takes all held images through the latest step.
func (b *builder) advance() {
	id := len(b.q.Nodes) - 1
	node := &b.q.Nodes[id]
	n := node.Out.Shape.Len()
	each(len(b.batch), b.opts.workers(), func(k int) {
		r := b.batch[k]
		for i, free := range r.free { // what is used again is no work for the collector
			if cap(free) >= n && cap(free) <= 4*n {
				r.data[id], r.free[i] = free[:n], nil
				break
			}
		}
		if r.data[id] == nil {
			r.data[id] = make([]int8, n)
		}
		r.compute(id)
	})
	for _, from := range node.Inputs {
		if b.readers[from]--; b.readers[from] == 0 {
			for _, r := range b.batch {
				r.free = [2][]int8{r.data[from], r.free[0]}
				r.data[from] = nil
			}
		}
	}
}

// quantise rounds an image to the tensor's int8.
func (t tensor) quantise(image []float32) []int8 {
	q := make([]int8, len(image))
	for i, v := range image {
		c := i % len(t.scale)
		real := float64(v)
		if t.offset != nil {
			real -= t.offset[c]
		}
		q[i] = int8(math.Min(math.Max(math.RoundToEven(real/t.scale[c])+float64(t.zero[c]), -128), 127))
	}
	return q
}

// Quantise rounds a normalised image to the int8 input t that Quantise made of in,
// as docs/arithmetic.md, section 6, has it.
func (in Input) Quantise(t nn.QTensor, image []float32) []int8 {
	own := tensor{zero: t.Zero}
	lossless := in.lossless(len(t.Scale))
	for c, s := range t.Scale {
		own.scale = append(own.scale, float64(s))
		if lossless {
			exact := 255*float64(in.Mean[c]) - 128
			own.offset = append(own.offset, float64(s)*(float64(t.Zero[c])-exact))
		}
	}
	return own.quantise(image)
}
