package quant

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/seedge/seedge/nn"
)

// maxHeld bounds the int8 activations that the bias correction keeps, in bytes.
const maxHeld = 256 << 20

// correctBiases makes every layer's mean right, one layer after the other on
// the quantised path, so that a layer also repairs what the rounding before it
// shifted (Nagel et al. 2019, section 4.2, with data):
//
//	B[o] += mean(float pre-activation o) - mean(quantised pre-activation o)
//
// Means are over all positions of all calibration images; the residual is not
// part of them. It returns the number of images used: as many as fit into
// maxHeld, since all of them go through the network together, layer by layer.
func (b *builder) correctBiases(ctx context.Context, steps []step, images Images, opts Options) (int, error) {
	batch, err := b.hold(images)
	if err != nil {
		return 0, err
	}
	left := b.readers()
	for i, s := range steps {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		id := i + 1
		node := &b.q.Nodes[id]
		if layer := b.rows[id]; layer.bias != nil {
			got := b.accumulatorMeans(batch, id, opts.workers())
			for o := range layer.bias {
				layer.correct(o, b.seen.nodes[s.base].mean(o)-got[o]*layer.scale[o])
			}
		}
		each(len(batch), opts.workers(), func(k int) {
			batch[k].data[id] = make([]int8, node.Out.Shape.Len())
			batch[k].compute(id)
		})
		for _, from := range node.Inputs {
			if left[from]--; left[from] == 0 {
				for k := range batch {
					batch[k].data[from] = nil
				}
			}
		}
		opts.progress("correct biases", id, len(steps))
	}
	return len(batch), nil
}

// hold quantises the first images and gives each its own activations.
func (b *builder) hold(images Images) ([]*Reference, error) {
	live := b.peak()
	var batch []*Reference
	for image, err := range images {
		if err != nil {
			return nil, fmt.Errorf("quantise: image %d: %w", len(batch), err)
		}
		r := &Reference{net: &b.q, data: make([][]int8, len(b.q.Nodes)), logits: make([]float32, b.q.Output().Out.Shape.Len())}
		r.data[0] = b.tensors[0].quantise(image)
		batch = append(batch, r)
		if (len(batch)+1)*live > maxHeld || len(batch) == b.seen.images {
			break
		}
	}
	return batch, nil
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

// readers counts the nodes that read each node.
func (b *builder) readers() []int {
	n := make([]int, len(b.q.Nodes))
	for _, node := range b.q.Nodes {
		for _, from := range node.Inputs {
			n[from]++
		}
	}
	return n
}

// peak is the most bytes that one image's live activations take.
func (b *builder) peak() int {
	left := b.readers()
	live, most := b.q.Nodes[0].Out.Shape.Len(), 0
	for _, n := range b.q.Nodes[1:] {
		live += n.Out.Shape.Len()
		most = max(most, live)
		for _, from := range n.Inputs {
			if left[from]--; left[from] == 0 {
				live -= b.q.Nodes[from].Out.Shape.Len()
			}
		}
	}
	return most
}

// accumulatorMeans is the mean of each output channel's accumulator of node id
// over all positions and images. It is linear in the input, so the window's
// contents are summed first and multiplied by the weights once. Sums are
// integers, the same in any order.
func (b *builder) accumulatorMeans(batch []*Reference, id, workers int) []float64 {
	node := b.q.Nodes[id]
	in := b.q.Nodes[node.Inputs[0]].Out
	conv, ok := node.Op.(*nn.QConv)
	if !ok { // a linear layer is a pointwise convolution at one position
		l := node.Op.(*nn.QLinear)
		conv = &nn.QConv{Window: nn.Window{
			In: l.In, Out: l.Out, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1,
		}, Weight: l.Weight, Bias: l.Bias}
	}
	sums := make([]int64, conv.KernelH*conv.KernelW*conv.In)
	var lock sync.Mutex
	each(len(batch), workers, func(k int) {
		mine, patch := make([]int64, len(sums)), make([]int8, len(sums))
		for oy := range node.Out.Shape.H {
			for ox := range node.Out.Shape.W {
				gather(conv, batch[k].data[node.Inputs[0]], in, oy, ox, patch)
				for i, q := range patch {
					mine[i] += int64(q)
				}
			}
		}
		lock.Lock()
		defer lock.Unlock()
		for i, v := range mine {
			sums[i] += v
		}
	})
	positions := float64(len(batch) * node.Out.Shape.H * node.Out.Shape.W)
	per, outPer, taps := conv.In/conv.Groups, conv.Out/conv.Groups, conv.Taps()
	means := make([]float64, conv.Out)
	for o := range means {
		var sum int64
		for t, w := range conv.Weight[o*taps : (o+1)*taps] {
			sum += int64(w) * sums[t/per*conv.In+o/outPer*per+t%per]
		}
		means[o] = float64(conv.Bias[o]) + float64(sum)/positions
	}
	return means
}

// each calls fn for 0 to n-1 on a number of workers.
func each(n, workers int, fn func(k int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for k := range next {
				fn(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	wg.Wait()
}
