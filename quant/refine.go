package quant

import "github.com/seedge/seedge/nn"

// refine refits a layer's weights, in real units per int8 step, and biases to the
// quantised path and returns how the weights are to be rounded. What either step
// gains is judged on images that it has not seen, so that few or strange images
// cost the gain and no more.
func (b *builder) refine(s step, w nn.Window, from int, in tensor, weight, bias []float64) rounder {
	if !b.opts.refines() || len(b.batch) < 2 {
		return nearest
	}
	shape := b.graph.Nodes[s.base].Shape
	quota := b.sampler.quota[s.base]
	conv, source := &nn.QConv{Window: w}, in.export(b.graph.Nodes[b.graph.Nodes[s.base].Inputs[0]].Shape)
	var rows [2][][]int8
	var targets [2][][]float32
	for i, r := range b.batch {
		at := b.sampler.positions(i, quota, shape.H*shape.W)
		v := b.seen.kept[s.base][i]
		for k, p := range at {
			patch := make([]int8, conv.KernelH*conv.KernelW*conv.In)
			gather(conv, r.data[from], source, p/shape.W, p%shape.W, patch)
			rows[i%2] = append(rows[i%2], patch)
			targets[i%2] = append(targets[i%2], v[k*shape.C:(k+1)*shape.C])
		}
	}
	per, outPer, taps := w.In/w.Groups, w.Out/w.Groups, w.Taps()
	if len(rows[0])+len(rows[1]) < taps {
		return nearest // they say nothing about most directions
	}
	u, refitted := make([][]float64, w.Groups), make([]bool, w.Groups)
	group := func(g, workers int) {
		columns := make([]int, taps)
		for k := range columns {
			columns[k] = k/per*w.In + g*per + k%per
		}
		var halves [2]*moments
		for h := range halves {
			halves[h] = sums(rows[h], columns, targets[h], g*outPer, outPer, workers)
		}
		all := halves[0].plus(halves[1]).centre()
		halves[0].centre()
		halves[1].centre()
		mine := weight[g*outPer*taps : (g+1)*outPer*taps]
		if b.opts.Refit {
			if fitted := refit(all, halves, mine); fitted != nil {
				copy(mine, fitted)
				all.intercepts(fitted, bias[g*outPer:(g+1)*outPer], func(k int) float64 { return float64(in.zero[g*per+k%per]) })
				refitted[g] = true
			}
		}
		if b.opts.Compensate {
			u[g] = chooseCarrier(all, halves, mine, workers)
		}
	}
	if w.Groups == 1 {
		group(0, b.opts.workers())
	} else {
		each(w.Groups, b.opts.workers(), func(g int) { group(g, 1) })
	}
	done := &b.report.Layers[len(b.report.Layers)-1]
	for g := range u {
		if refitted[g] {
			done.Refitted += 1 / float64(w.Groups)
		}
		if u[g] != nil {
			done.Compensated += 1 / float64(w.Groups)
		}
	}
	return func(o int, v []float64, q []int8) {
		if c := u[o/outPer]; c != nil {
			compensate(v, c, q)
		} else {
			nearest(o, v, q)
		}
	}
}
