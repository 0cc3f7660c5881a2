package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"

	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// ErrNoImages means that there was nothing to measure on.
var ErrNoImages = errors.New("no images to measure on")

// Bins is the resolution of a histogram.
const Bins = 64

// Measurement is what a number of images show of every layer.
type Measurement struct {
	Layers []Layer
	// Clipped is, by image, the share of activations beyond their int8 ranges.
	Clipped []float64
}

// Layer compares one layer's output in both networks.
type Layer struct {
	Name, Kind string
	SQNR       float64 // dB; +Inf where nothing was lost
	Min, Max   float64 // seen in the float network
	// Low and High are the widest of the channels' int8 ranges; both 0 where the
	// output, the logits, stays float.
	Low, High float64
	Clipped   float64 // share of float values beyond their channel's range
	// Weights are those of the float network, batch norms folded in.
	Weights              bool
	WeightMin, WeightMax float32
	Channels             int
	Dead                 int // channels that have one value everywhere
	// Float and Int8 count values in Bins of equal width from Low to High; what is
	// beyond counts in the last.
	Float, Int8 [Bins]int64
}

// part is what one image adds to a layer.
type part struct {
	signal, noise float64
	min, max      []float32
	clipped       int64
	float, int8   [Bins]int64
}

// fewValues is how many values of a channel do not tell whether it is dead.
const fewValues = 16

// Measure runs both networks in plain loops on every image: normalised float32,
// NHWC. g is the float network that q was made from, layers the steps that
// quant.Quantise reported. The result is the same for any number of workers.
func Measure(ctx context.Context, g *nn.Graph, q *nn.Quantised, layers []quant.Layer, in quant.Input, images iter.Seq2[[]float32, error], workers int) (*Measurement, error) {
	folded, err := quant.FoldBatchNorm(g)
	if err != nil {
		return nil, err
	}
	if len(layers)+1 != len(q.Nodes) {
		return nil, fmt.Errorf("report: %d layers and an int8 network of %d nodes, want one more node than layers", len(layers), len(q.Nodes))
	}
	m := &Measurement{}
	for i, l := range layers {
		if l.Node < 1 || l.Node >= len(folded.Nodes) || folded.Nodes[l.Node].Shape != q.Nodes[i+1].Out.Shape {
			return nil, fmt.Errorf("report: layer %q is node %d, which the float network does not have", l.Name, l.Node)
		}
		m.Layers = append(m.Layers, describe(folded, q, i, l))
	}
	parts, err := compare(ctx, folded, q, m.Layers, layers, in, images, max(workers, 1))
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("report: %w", ErrNoImages)
	}
	m.sum(q, parts)
	return m, nil
}

// describe is what is known of a layer without images.
func describe(folded *nn.Graph, q *nn.Quantised, i int, l quant.Layer) Layer {
	n := q.Nodes[i+1]
	d := Layer{Name: l.Name, Kind: n.Op.Kind(), Channels: n.Out.Shape.C}
	for c := range n.Out.Scale {
		lo, hi := reach(n.Out, c)
		d.Low, d.High = min(d.Low, lo), max(d.High, hi)
	}
	base, ok := folded.Lookup(l.Name)
	if !ok {
		return d
	}
	for _, p := range folded.Nodes[base].Op.Params() {
		if len(p.Shape) < 2 {
			continue // biases
		}
		d.Weights = true
		for _, v := range *p.Data {
			d.WeightMin, d.WeightMax = min(d.WeightMin, v), max(d.WeightMax, v)
		}
	}
	return d
}

// reach is what int8 can hold of a channel.
func reach(t nn.QTensor, c int) (lo, hi float64) {
	s, z := float64(t.Scale[c]), float64(t.Zero[c])
	return s * (-128 - z), s * (127 - z)
}

// compare gives the parts by image and layer.
func compare(ctx context.Context, folded *nn.Graph, q *nn.Quantised, described []Layer, layers []quant.Layer, in quant.Input, images iter.Seq2[[]float32, error], workers int) ([][]part, error) {
	type job struct {
		i     int
		image []float32
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan job)
	var lock sync.Mutex
	byImage := map[int][]part{}
	var wg sync.WaitGroup
	for range workers {
		f, err := nn.NewFloat(folded)
		if err != nil {
			cancel(err)
			break
		}
		r, err := quant.NewReference(q)
		if err != nil {
			cancel(err)
			break
		}
		wg.Go(func() {
			for j := range jobs {
				if ctx.Err() != nil {
					continue
				}
				ps, err := one(f, r, q, described, layers, in, j.image)
				if err != nil {
					cancel(fmt.Errorf("report: image %d: %w", j.i, err))
					continue
				}
				lock.Lock()
				byImage[j.i] = ps
				lock.Unlock()
			}
		})
	}
	n := 0
	if ctx.Err() == nil {
		for image, err := range images {
			if err != nil {
				cancel(err)
			}
			if ctx.Err() != nil {
				break
			}
			jobs <- job{n, image}
			n++
		}
	}
	close(jobs)
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	parts := make([][]part, n)
	for i := range parts {
		parts[i] = byImage[i]
	}
	return parts, nil
}

// one compares all layers on one image.
func one(f *nn.Float, r *quant.Reference, q *nn.Quantised, described []Layer, layers []quant.Layer, in quant.Input, image []float32) ([]part, error) {
	if _, err := f.Run(image); err != nil {
		return nil, err
	}
	logits, err := r.Run(in.Quantise(q.Nodes[0].Out, image))
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(layers))
	for i, l := range layers {
		out := q.Nodes[i+1].Out
		if i+1 == len(q.Nodes)-1 {
			parts[i].logits(f.Output(l.Node), logits)
		} else {
			parts[i].layer(f.Output(l.Node), r.Output(i+1), out, described[i])
		}
	}
	return parts, nil
}

func (p *part) see(v float32, c int) {
	p.min[c], p.max[c] = min(p.min[c], v), max(p.max[c], v)
}

func (p *part) start(t nn.Tensor) {
	p.min = append([]float32(nil), t.Data[:t.C]...)
	p.max = append([]float32(nil), t.Data[:t.C]...)
}

func (p *part) logits(t nn.Tensor, got []float32) {
	p.start(t)
	for i, v := range t.Data {
		p.see(v, i%t.C)
		d := float64(got[i]) - float64(v)
		p.signal += float64(v) * float64(v)
		p.noise += d * d
	}
}

func (p *part) layer(t nn.Tensor, got []int8, out nn.QTensor, d Layer) {
	p.start(t)
	bin := func(v float64) int {
		return min(max(int((v-d.Low)/(d.High-d.Low)*Bins), 0), Bins-1)
	}
	for i, v := range t.Data {
		c := i % t.C
		p.see(v, c)
		real := float64(v)
		s := float64(out.Scale[c])
		y := s * float64(int(got[i])-int(out.Zero[c]))
		p.signal += real * real
		p.noise += (y - real) * (y - real)
		if lo, hi := reach(out, c); real < lo-s/2 || real > hi+s/2 {
			p.clipped++
		}
		p.float[bin(real)]++
		p.int8[bin(y)]++
	}
}

// sum adds up the parts in the images' order.
func (m *Measurement) sum(q *nn.Quantised, parts [][]part) {
	m.Clipped = make([]float64, len(parts))
	for i := range m.Layers {
		l, shape := &m.Layers[i], q.Nodes[i+1].Out.Shape
		lo, hi := parts[0][i].min, parts[0][i].max
		var signal, noise float64
		var clipped int64
		for k := range parts {
			p := &parts[k][i]
			signal += p.signal
			noise += p.noise
			clipped += p.clipped
			m.Clipped[k] += float64(p.clipped)
			for c := range lo {
				lo[c], hi[c] = min(lo[c], p.min[c]), max(hi[c], p.max[c])
			}
			for b := range Bins {
				l.Float[b] += p.float[b]
				l.Int8[b] += p.int8[b]
			}
		}
		l.SQNR = decibels(signal, noise)
		l.Clipped = float64(clipped) / float64(len(parts)*shape.Len())
		l.Min, l.Max = float64(lo[0]), float64(hi[0])
		for c := range lo {
			l.Min, l.Max = min(l.Min, float64(lo[c])), max(l.Max, float64(hi[c]))
			if lo[c] == hi[c] && len(parts)*shape.H*shape.W >= fewValues {
				l.Dead++
			}
		}
	}
	values := 0
	for _, n := range q.Nodes[1:] {
		values += n.Out.Shape.Len()
	}
	for k := range m.Clipped {
		m.Clipped[k] /= float64(values)
	}
}

// decibels is +Inf without noise, and -Inf for noise without a signal.
func decibels(signal, noise float64) float64 {
	if noise == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(signal/noise)
}
