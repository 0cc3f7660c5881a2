package quant

import (
	"context"
	"fmt"
	"math"

	"github.com/seedge/seedge/nn"
)

// Input says how 8-bit pixels became the network's input: (v/255 - Mean) / Std
// per channel. With it the int8 network takes pixels without rounding them.
type Input struct {
	Mean, Std []float32
}

// Report is what quantising found.
type Report struct {
	Images int     // calibrated on
	Held   int     // of these, taken through the quantised path layer by layer
	Layers []Layer // in order
}

// Layer is what was decided for one step of the int8 network.
type Layer struct {
	Name string
	// Node is the node of FoldBatchNorm's graph whose output the step computes;
	// layer i is node i+1 of the int8 network.
	Node int
	// Alpha and Margin make the output's scales: see Options.Alpha; the ranges
	// seen are widened by the factor Margin.
	Alpha, Margin float64
	// Refitted and Compensated are the shares of the layer's groups (one, or as
	// many as channels) whose weights were refitted, and rounded with their errors
	// carried on, because that did better on images that it did not know.
	Refitted, Compensated float64
}

// Quantise makes the int8 network of a float one: it folds the batch norms,
// calibrates on the images, chooses scales and zero points per channel, rounds
// the weights and corrects the biases, in docs/arithmetic.md's terms. The result
// has passed Check. It is the same for any number of workers.
func Quantise(ctx context.Context, g *nn.Graph, images Images, in Input, opts Options) (*nn.Quantised, *Report, error) {
	if err := opts.check(); err != nil {
		return nil, nil, err
	}
	folded, err := FoldBatchNorm(g)
	if err != nil {
		return nil, nil, err
	}
	steps, err := plan(folded)
	if err != nil {
		return nil, nil, err
	}
	keep, held := newSampler(folded, steps, opts), heldImages(folded, steps)
	seen, err := calibrate(ctx, folded, keep, held, images, opts)
	if err != nil {
		return nil, nil, err
	}
	b := &builder{opts: opts, graph: folded, seen: seen, sampler: keep, choices: chooseRanges(folded, steps, seen, opts), at: map[int]int{}, report: Report{Images: seen.images}}
	seen.keepOnly(folded)
	b.input(inputTensor(in, seen.nodes[0]))
	if err := b.hold(steps, held, images); err != nil {
		return nil, nil, err
	}
	for i, s := range steps {
		if err := context.Cause(ctx); err != nil {
			return nil, nil, err
		}
		ch := b.choices[s.out]
		b.report.Layers = append(b.report.Layers, Layer{Name: folded.Nodes[s.base].Name, Node: s.out, Alpha: ch.alpha, Margin: ch.margin})
		if err := b.step(s); err != nil {
			return nil, nil, fmt.Errorf("quantise: %s: %w", folded.Nodes[s.base].Name, err)
		}
		delete(seen.kept, s.base) // refined; memory is short
		b.correctBias(s)
		b.advance()
		opts.progress("quantise", i+1, len(steps))
	}
	b.q.Features = b.at[folded.Features]
	if err := b.q.Check(); err != nil {
		return nil, nil, err
	}
	b.report.Held = len(b.batch)
	return &b.q, &b.report, nil
}

// builder makes the int8 network step by step; a step knows its inputs' scales.
type builder struct {
	opts    Options
	graph   *nn.Graph
	seen    *calibration
	sampler sampler
	choices map[int]choice // by output node
	batch   []*traveller   // the images on the quantised path
	readers []int          // of each step's output, still to come
	q       nn.Quantised
	report  Report
	at      map[int]int // node of the folded graph -> node of q
	tensors []tensor    // by node of q
	rows    []rows      // by node of q: the rounded weights of convolutions and linear layers
}

func (b *builder) input(t tensor) {
	b.q.Nodes = []nn.QNode{{Name: "input", Out: t.export(b.graph.Input())}}
	b.tensors = []tensor{t}
	b.rows = []rows{{}}
	b.at[0] = 0
}

func (b *builder) emit(s step, op nn.QOp, out nn.QTensor, t tensor, r rows, inputs ...int) {
	b.at[s.out] = len(b.q.Nodes)
	b.q.Nodes = append(b.q.Nodes, nn.QNode{Name: b.graph.Nodes[s.base].Name, Op: op, Inputs: inputs, Out: out})
	b.tensors = append(b.tensors, t)
	b.rows = append(b.rows, r)
}

// source returns where an input of a folded node lives now, and its scales.
func (b *builder) source(node, input int) (int, tensor) {
	id := b.at[b.graph.Nodes[node].Inputs[input]]
	return id, b.tensors[id]
}

func (b *builder) step(s step) error {
	switch op := b.graph.Nodes[s.base].Op.(type) {
	case *nn.Conv2D:
		return b.conv(s, op)
	case *nn.Linear:
		return b.linear(s, op)
	case *nn.SqueezeExcite:
		return b.squeezeExcite(s, op)
	case *nn.GlobalAvgPool:
		return b.pool(s)
	case *nn.Add:
		return b.add(s)
	case *nn.Activation:
		return b.table(s, op.Func)
	default:
		return fmt.Errorf("%s has no integer form", op.Kind())
	}
}

// output is the tensor that a step puts out.
func (b *builder) output(s step, least []float64) tensor {
	seen, ch := b.seen.nodes[s.out], b.choices[s.out]
	return ranged(seen, s.function(b.graph), ch, least)
}

// absorb multiplies the input's scales into the weights and its constant offset
// into the bias. channel gives the input channel of tap k of output o.
func absorb(weight, bias []float32, taps int, in tensor, channel func(o, k int) int) (w, b []float64) {
	w = make([]float64, len(weight))
	b = make([]float64, len(weight)/taps)
	for o := range b {
		if bias != nil {
			b[o] = float64(bias[o])
		}
		for k := range taps {
			c := channel(o, k)
			v := float64(weight[o*taps+k])
			w[o*taps+k] = v * in.scale[c]
			if in.offset != nil {
				b[o] += v * in.offset[c]
			}
		}
	}
	return w, b
}

// multipliers returns scale[o] / step[o] in float32.
func multipliers(scale, step []float64) []float32 {
	m := make([]float32, len(scale))
	for o := range m {
		m[o] = float32(scale[o] / step[o])
	}
	return m
}

// maxRounded keeps what is rounded well below the 2^30 that Check demands.
const maxRounded = 1 << 28

// leastScales is how small the output's steps may be.
func (r rows) leastScales() []float64 {
	least := make([]float64, len(r.scale))
	for o := range least {
		least[o] = r.scale[o] * r.bound[o] / maxRounded
	}
	return least
}

func (b *builder) conv(s step, op *nn.Conv2D) error {
	from, in := b.source(s.base, 0)
	taps, per, outPer := op.Taps(), op.In/op.Groups, op.Out/op.Groups
	channel := func(o, k int) int { return o/outPer*per + k%per }
	var bias []float32
	if op.HasBias {
		bias = op.Bias
	}
	w, real := absorb(op.Weight, bias, taps, in, channel)
	round := b.refine(s, op.Window, from, in, w, real)
	r, err := quantiseRows(w, real, taps, func(o, k int) int64 { return int64(in.zero[channel(o, k)]) }, 128, round)
	if err != nil {
		return err
	}
	f := s.function(b.graph)
	least := r.leastScales()
	inputs := []int{from}
	conv := &nn.QConv{Window: op.Window, Act: f, Weight: r.weight, Bias: r.bias}
	var residual tensor
	if s.add != 0 {
		other := s.residual(b.graph)
		residual = b.tensors[b.at[other]]
		inputs = append(inputs, b.at[other])
		conv.Residual = true
		for o := range least {
			least[o] += 256 * residual.scale[o] / maxRounded
		}
	}
	t := b.output(s, least)
	conv.Multiplier = multipliers(r.scale, t.scale)
	if conv.Residual {
		conv.ResidualM = multipliers(residual.scale, t.scale)
	}
	b.emit(s, conv, t.export(b.graph.Nodes[s.out].Shape), t, r, inputs...)
	return nil
}

func (b *builder) linear(s step, op *nn.Linear) error {
	from, in := b.source(s.base, 0)
	w, real := absorb(op.Weight, op.Bias, op.In, in, func(_, k int) int { return k })
	round := b.refine(s, pointWindow(op.In, op.Out), from, in, w, real)
	r, err := quantiseRows(w, real, op.In, func(_, k int) int64 { return int64(in.zero[k]) }, 128, round)
	if err != nil {
		return err
	}
	f := s.function(b.graph)
	linear := &nn.QLinear{In: op.In, Out: op.Out, Act: f, Weight: r.weight, Bias: r.bias}
	if s.out == logitsNode(b.graph) {
		linear.Float = true
		ones := make([]float64, op.Out)
		for o := range ones {
			ones[o] = 1
		}
		linear.Multiplier = multipliers(r.scale, ones)
		b.emit(s, linear, nn.QTensor{Shape: b.graph.Nodes[s.out].Shape}, tensor{}, r, from)
		return nil
	}
	t := b.output(s, r.leastScales())
	linear.Multiplier = multipliers(r.scale, t.scale)
	b.emit(s, linear, t.export(b.graph.Nodes[s.out].Shape), t, r, from)
	return nil
}

func (b *builder) pool(s step) error {
	from, in := b.source(s.base, 0)
	shape := b.graph.Nodes[b.graph.Nodes[s.base].Inputs[0]].Shape
	n := float64(shape.H * shape.W)
	least := make([]float64, len(in.scale))
	for c := range least {
		least[c] = 256 * in.scale[c] / maxRounded
	}
	t := b.output(s, least)
	m := multipliers(in.scale, t.scale)
	for c := range m {
		m[c] = float32(in.scale[c] / (n * t.scale[c]))
	}
	b.emit(s, &nn.QPool{Multiplier: m}, t.export(b.graph.Nodes[s.out].Shape), t, rows{}, from)
	return nil
}

func (b *builder) add(s step) error {
	from, a := b.source(s.base, 0)
	other, c := b.source(s.base, 1)
	least := make([]float64, len(a.scale))
	for i := range least {
		least[i] = 256 * (a.scale[i] + c.scale[i]) / maxRounded
	}
	f := s.function(b.graph)
	t := b.output(s, least)
	op := &nn.QAdd{Act: f, A: multipliers(a.scale, t.scale), B: multipliers(c.scale, t.scale)}
	b.emit(s, op, t.export(b.graph.Nodes[s.out].Shape), t, rows{}, from, other)
	return nil
}

// table tabulates a function that stands alone.
func (b *builder) table(s step, f nn.Func) error {
	from, in := b.source(s.base, 0)
	t := b.output(s, nil)
	op := &nn.QTable{Table: make([]int8, 256*len(in.scale))}
	for c := range in.scale {
		for q := range 256 {
			x := in.scale[c] * float64(q-128-int(in.zero[c]))
			y := float64(f.Apply(float32(x)))/t.scale[c] + float64(t.zero[c])
			op.Table[c*256+q] = int8(math.Min(math.Max(math.RoundToEven(y), -128), 127))
		}
	}
	b.emit(s, op, t.export(b.graph.Nodes[s.out].Shape), t, rows{}, from)
	return nil
}
