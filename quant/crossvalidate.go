package quant

import (
	"math"

	"github.com/seedge/seedge/nn"
)

// The candidates of a tensor's choice. A finer grid fits the estimate of the noise,
// not the noise: it lost 1.2 dB on the default model. None clips
// what was seen: a value that one image in a hundred has is worth more than what
// the other images gain, and no fold of a few images can tell how often it comes. For the same reason alpha 1, which
// leaves quiet channels no room beyond what was seen, is not among them.
var (
	alphas  = []float64{0.75, 0.5}
	margins = []float64{1, 1.2, 1.5}
)

// repaired is what refitting and compensation leave of the error of rounding
// weights.
const repaired = 0.25

// choice is how a tensor's scales come from its ranges.
type choice struct{ alpha, margin float64 }

// ranger chooses the ranges of the tensors that steps put out.
type ranger struct {
	graph   *nn.Graph
	seen    *calibration
	by      []effect // by node
	users   [][]int
	rounded float64 // share of the weights' rounding error that will be left
	opts    Options
}

// chooseRanges decides for every step's output.
func chooseRanges(g *nn.Graph, steps []step, seen *calibration, opts Options) map[int]choice {
	list := make([]choice, len(steps))
	for i := range list {
		list[i] = choice{opts.Alpha, 1}
	}
	if opts.Ranges >= MSE && seen.images > 1 {
		r := &ranger{graph: g, seen: seen, by: sensitivity(g, seen), users: g.Consumers(), rounded: 1, opts: opts}
		if opts.refines() {
			r.rounded = repaired
		}
		each(len(steps), opts.workers(), func(i int) { list[i] = r.choose(steps[i]) })
	}
	choices := map[int]choice{}
	for i, s := range steps {
		choices[s.out] = list[i]
	}
	return choices
}

// choose returns the cheapest choice for a step's output.
func (r *ranger) choose(s step) choice {
	as, ms := alphas, margins
	if r.opts.Ranges == MSE {
		as = []float64{r.opts.Alpha}
	}
	best, least := choice{r.opts.Alpha, 1}, math.Inf(1)
	for _, a := range as {
		for _, m := range ms {
			if c := r.cost(s, choice{a, m}); c < least {
				best, least = choice{a, m}, c
			}
		}
	}
	return best
}

// cost estimates the noise that a choice causes on images that the ranges were
// not taken from. Each fold of the images is once left out of the ranges and
// measured:
//
//	grain[c] * E[within images, Var(Q(x_c) - x_c)] + flat[c] * E[over images, mean(Q(x_c) - x_c)^2]
//	  + flat[o] * s_w[o]^2 / 12 * sum_c Var[x_c] / s[c]^2
//
// summed over channels. The last part is the rounding of the consumers' weights,
// s_w[o] = max_c |W[o,c] * s[c]| / 127. What is the same for all images the biases
// take up. The folds' geometric mean keeps one outlandish image, of which there
// may be none among those to come, from deciding alone.
func (r *ranger) cost(s step, ch choice) float64 {
	id, f := s.out, s.function(r.graph)
	rounding := r.rounded * r.weightNoise(id, ranged(r.seen.nodes[id], f, ch, nil))
	folds := min(shards, r.seen.images)
	logs := 0.0
	for fold := range folds {
		logs += math.Log(math.Max(r.foldNoise(id, f, ch, fold)+rounding, math.SmallestNonzeroFloat64))
	}
	return logs / float64(folds)
}

// foldNoise is the first line of the cost for one fold.
func (r *ranger) foldNoise(id int, f nn.Func, ch choice, fold int) float64 {
	kept := r.seen.kept[id]
	channels := r.graph.Nodes[id].Shape.C
	rest := newStats(channels)
	for i, p := range r.seen.parts {
		if i != fold || r.opts.Ranges == MSE {
			rest.merge(p[id])
		}
	}
	t := ranged(rest, f, ch, nil)
	noise := 0.0
	for k := range channels {
		s, z := float32(t.scale[k]), float32(t.zero[k])
		inv := 1 / s
		var within, mean, square, n float64
		for i := fold; i < len(kept); i += shards {
			v := kept[i]
			var e, ee float32
			for at := k; at < len(v); at += channels {
				q := min(max(v[at]*inv+z, -128), 127)
				q = (q + roundBias) - roundBias
				d := (q-z)*s - v[at]
				e += d
				ee += d * d
			}
			m := float64(len(v) / channels)
			a, b := float64(e)/m, float64(ee)/m
			inside := 0.0
			if m > 1 {
				inside = math.Max(b-a*a, 0) * m / (m - 1)
			}
			within += inside
			mean += a
			square += math.Max(a*a-inside/m, 0) // of the true mean: the sample's has a variance of its own
			n++
		}
		noise += r.by[id].grain[k]*within/n + r.by[id].flat[k]*math.Max(square/n-mean*mean/(n*n), 0)
	}
	return noise
}

// roundBias, added and taken away, rounds a float32 below 2^22 to an integer.
const roundBias = 3 << 22

// weightNoise is the second line of the cost.
func (r *ranger) weightNoise(id int, t tensor) float64 {
	noise := 0.0
	in := r.seen.nodes[id]
	for _, u := range r.users[id] {
		var w nn.Window
		var weight []float32
		switch op := r.graph.Nodes[u].Op.(type) {
		case *nn.Conv2D:
			w, weight = op.Window, op.Weight
		case *nn.Linear:
			w = nn.Window{In: op.In, Out: op.Out, KernelH: 1, KernelW: 1, Groups: 1}
			weight = op.Weight
		default:
			continue
		}
		if w.Depthwise() {
			continue // its scales have no part in it
		}
		per, outPer, taps := w.In/w.Groups, w.Out/w.Groups, w.Taps()
		for g := range w.Groups {
			energy := 0.0
			for c := g * per; c < (g+1)*per; c++ {
				energy += in.variance(c) / (t.scale[c] * t.scale[c])
			}
			energy *= float64(w.KernelH * w.KernelW)
			for o := g * outPer; o < (g+1)*outPer; o++ {
				top := 0.0
				for k, v := range weight[o*taps : (o+1)*taps] {
					top = math.Max(top, math.Abs(float64(v))*t.scale[g*per+k%per])
				}
				noise += r.by[u].flat[o] * top * top / (127 * 127 * 12) * energy
			}
		}
	}
	return noise
}

// ranged makes a tensor of the ranges seen.
func ranged(s *stats, f nn.Func, ch choice, least []float64) tensor {
	lo, hi := make([]float32, len(s.min)), make([]float32, len(s.min))
	for c := range lo {
		lo[c], hi[c] = s.min[c]*float32(ch.margin), s.max[c]*float32(ch.margin)
		lo[c] = float32(math.Max(float64(lo[c]), lowest(f)))
	}
	return outputTensor(lo, hi, f, ch.alpha, least)
}
