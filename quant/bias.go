package quant

import (
	"sync"

	"github.com/seedge/seedge/nn"
)

// correctBias makes the latest layer's means right (Nagel et al. 2019, section
// 4.2, with data):
//
//	B[o] += mean(float pre-activation o) - mean(quantised pre-activation o)
//
// Means are over all positions of all images on the quantised path, so that a
// layer also repairs what the rounding before it shifted; the residual is not
// part of them.
func (b *builder) correctBias(s step) {
	id := len(b.q.Nodes) - 1
	layer := b.rows[id]
	if layer.bias == nil || b.opts.KeepBias {
		return
	}
	got := accumulatorMeans(&b.q, b.batch, id, b.opts.workers())
	for o := range layer.bias {
		layer.correct(o, b.seen.nodes[s.base].mean(o)-got[o]*layer.scale[o])
	}
}

// accumulatorMeans is the mean of each output channel's accumulator of node id
// over all positions and images. It is linear in the input, so the window's
// contents are summed first and multiplied by the weights once. Sums are
// integers, the same in any order.
func accumulatorMeans(q *nn.Quantised, batch []*traveller, id, workers int) []float64 {
	node := q.Nodes[id]
	in := q.Nodes[node.Inputs[0]].Out
	conv, ok := node.Op.(*nn.QConv)
	if !ok { // a linear layer is a pointwise convolution at one position
		l := node.Op.(*nn.QLinear)
		conv = &nn.QConv{Window: pointWindow(l.In, l.Out), Weight: l.Weight, Bias: l.Bias}
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
