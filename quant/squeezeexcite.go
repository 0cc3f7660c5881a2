package quant

import (
	"fmt"
	"math"
	"slices"

	"github.com/seedge/seedge/nn"
)

// squeezeMargin widens the ranges of the two int16 vectors inside beyond what
// calibration saw: of 14 bits one is worth less than a clipped gate.
const squeezeMargin = 2

// squeezeExcite makes the integer node of docs/arithmetic.md, section 4. Its
// two inner vectors have one scale each: with 14 bits, quiet channels keep
// enough of them, and the weights stay as they are.
func (b *builder) squeezeExcite(s step, op *nn.SqueezeExcite) error {
	if op.Inner != nn.ReLU {
		return fmt.Errorf("inner activation %v has no integer form, want relu", op.Inner)
	}
	from, in := b.source(s.base, 0)
	shape := b.graph.Nodes[s.base].Shape
	positions := float64(shape.H * shape.W)
	seen := b.seen.inner[s.base]
	squeezed := innerScale(seen.squeezed, 256*slices.Max(in.scale))

	reduce, err := innerRows(op.Reduce, op.ReduceBias, op.C, squeezed)
	if err != nil {
		return fmt.Errorf("reduce: %w", err)
	}
	top := 0.0
	for j, scale := range reduce.scale {
		top = math.Max(top, scale*reduce.bound[j])
	}
	reduced := innerScale(seen.reduced, top)
	expand, err := innerRows(op.Expand, op.ExpandBias, op.Squeezed, reduced)
	if err != nil {
		return fmt.Errorf("expand: %w", err)
	}
	least := make([]float64, op.C)
	for c := range least {
		least[c] = 256 * in.scale[c] / maxRounded
	}
	t := b.output(s, least)
	q := &nn.QSqueezeExcite{
		Squeezed: op.Squeezed, Gate: op.Gate,
		SqueezeM: make([]float32, op.C), ExpandM: make([]float32, op.C), ReduceM: make([]float32, op.Squeezed),
		Reduce: reduce.weight, ReduceBias: reduce.bias, Expand: expand.weight, ExpandBias: expand.bias,
		ScaleM: multipliers(in.scale, t.scale),
	}
	unit := 1.0
	if op.Gate == nn.HardSigmoid {
		unit = 6 // equation 10: the multiplier contains the sixth
	}
	for c := range op.C {
		q.SqueezeM[c] = float32(in.scale[c] / (positions * squeezed))
		q.ExpandM[c] = float32(expand.scale[c] / unit)
	}
	for j := range op.Squeezed {
		q.ReduceM[j] = float32(reduce.scale[j] / reduced)
	}
	b.emit(s, q, t.export(shape), t, rows{}, from)
	return nil
}

// innerScale is the scale of an inner vector whose largest magnitude was seen to
// be most and cannot exceed top.
func innerScale(most float32, top float64) float64 {
	s := math.Max(squeezeMargin*float64(most)/nn.MaxSqueeze, top/maxRounded)
	if s == 0 {
		return 1
	}
	return s
}

func innerRows(weight, bias []float32, taps int, scale float64) (rows, error) {
	w, b := make([]float64, len(weight)), make([]float64, len(bias))
	for i, v := range weight {
		w[i] = float64(v) * scale
	}
	for i, v := range bias {
		b[i] = float64(v)
	}
	return quantiseRows(w, b, taps, func(int, int) int64 { return 0 }, nn.MaxSqueeze, nearest)
}
