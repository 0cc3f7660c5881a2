package quant

import (
	"math/rand/v2"

	"github.com/seedge/seedge/nn"
)

// Neighbouring pixels resemble each other, so that a few of each image tell
// nearly as much as all of them. What is kept of a step's float tensors are the
// same positions of every image, whoever asks: they depend on the image's number
// and the tensor's size alone.
const (
	leastSamples  = 4096  // per step, over all images
	mostSamples   = 16384 // for layers with many weights per output
	samplesPerTap = 16
	fineSamples   = 2   // times as many where Options.Fine asks for it
	unknownImages = 256 // where Options.Images does not say how many
)

// quota is how many positions of each image a step keeps.
func quota(taps, positions int, opts Options) int {
	images, times := opts.Images, 1
	if images < 1 {
		images = unknownImages
	}
	if opts.Fine {
		times = fineSamples
	}
	n := times * min(max(samplesPerTap*taps, leastSamples), mostSamples)
	return min(max((n+images-1)/images, 1), positions)
}

// pick copies positions of a tensor.
func pick(t nn.Tensor, at []int) []float32 {
	v := make([]float32, 0, len(at)*t.C)
	for _, p := range at {
		v = append(v, t.Data[p*t.C:(p+1)*t.C]...)
	}
	return v
}

// taps is the number of weights per output of a step's layer; 0 if it has none.
func taps(op nn.Op) int {
	switch op := op.(type) {
	case *nn.Conv2D:
		return op.Taps()
	case *nn.Linear:
		return op.In
	}
	return 0
}

// sampler says which nodes are kept, and how much of them.
type sampler struct {
	seed  uint64
	quota map[int]int // node -> positions per image
}

// newSampler keeps every layer's output before its activation, and every tensor
// that is to be quantised.
func newSampler(g *nn.Graph, steps []step, opts Options) sampler {
	s := sampler{opts.Seed, map[int]int{}}
	if opts.Ranges < MSE && !opts.refines() {
		return s // nobody asks
	}
	for _, st := range steps {
		n := g.Nodes[st.base]
		q := quota(taps(n.Op), n.Shape.H*n.Shape.W, opts)
		s.quota[st.base], s.quota[st.out] = q, q
	}
	return s
}

// positions draws n of size positions of image i, in order.
func (s sampler) positions(i, n, size int) []int {
	p := make([]int, n)
	if n == size {
		for k := range p {
			p[k] = k
		}
		return p
	}
	r := rand.New(rand.NewPCG(s.seed, uint64(i)))
	for k := range p { // one out of each of n equal parts
		lo, hi := k*size/n, (k+1)*size/n
		p[k] = lo + r.IntN(hi-lo)
	}
	return p
}
