package engine

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/models"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// TestEqualsReference draws networks of the blocks that the engine fuses, of any
// size, and holds every instruction set and one to four threads to the bytes of
// the integer reference. A failure is shrunk to the smallest network that fails.
func TestEqualsReference(t *testing.T) {
	processors(t, 4)
	if testing.Short() {
		checks := flag.Lookup("rapid.checks")
		before := checks.Value.String()
		require.NoError(t, checks.Value.Set("15"))
		t.Cleanup(func() { require.NoError(t, checks.Value.Set(before)) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		g := drawNetwork(rt)
		require.NoError(rt, g.q.Check())
		input := make([]int8, g.q.Nodes[0].Out.Shape.Len())
		g.fill(input)
		ring := rapid.IntRange(1, 1<<14).Draw(rt, "ring bytes")
		equalsReference(rt, g.q, input, bands{ringWorth, ringBytes}, bands{0, ring})
	})
}

// TestDefaultModelEqualsReference does the same with the embedded model.
func TestDefaultModelEqualsReference(t *testing.T) {
	processors(t, 4)
	m, err := modelfile.Parse(models.Default(), "default")
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(8, 8))
	input := make([]int8, m.Input().Len())
	for i := range input {
		input[i] = int8(r.IntN(256) - 128)
	}
	equalsReference(t, m.Quantised, input, bands{ringWorth, ringBytes}, bands{0, 1 << 14})
}

func equalsReference(t require.TestingT, q *nn.Quantised, input []int8, limits ...bands) {
	reference, err := quant.NewReference(q)
	require.NoError(t, err)
	logits, err := reference.Run(input)
	require.NoError(t, err)
	want, features := bits(logits), bits(reference.Features())
	for _, isa := range kernel.ISAs() {
		for _, l := range limits {
			p, err := compile(q, isa, l)
			require.NoError(t, err)
			cutUp(p)
			for threads := 1; threads <= 4; threads++ {
				pool := p.NewPool(threads)
				s := pool.NewSession()
				copy(s.Input(), input)
				got := bits(s.Run())
				embedded := bits(s.Features())
				pool.Close()
				require.Equal(t, want, got, "%s, %d threads, %v\n%s", isa, threads, l, p)
				require.Equal(t, features, embedded, "%s, %d threads, %v\n%s", isa, threads, l, p)
			}
		}
	}
}

var (
	smallSize = rapid.IntRange(1, 24)
	channels  = rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 150))
	function  = rapid.SampledFrom([]nn.Func{nn.Identity, nn.ReLU, nn.ReLU6, nn.HardSwish})
)

// drawNetwork draws a stem, some inverted bottlenecks and what they are made of,
// a pool and logits. Parameters come from one seed.
func drawNetwork(t *rapid.T) *generator {
	g := newGenerator(rapid.Uint64().Draw(t, "parameters"))
	in := nn.Shape{H: smallSize.Draw(t, "height"), W: smallSize.Draw(t, "width"), C: channels.Draw(t, "channels")}
	g.q = &nn.Quantised{Nodes: []nn.QNode{{Name: "input", Out: g.tensor(in, nn.Identity)}}}
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		switch rapid.IntRange(0, 4).Draw(t, "block") {
		case 0:
			g.window(t, "conv", 1+2*rapid.IntRange(0, 1).Draw(t, "kernel"), channels.Draw(t, "outputs"), none)
		case 1:
			g.add(len(g.q.Nodes) - 1)
		default:
			drawBottleneck(t, g)
		}
	}
	g.pool(len(g.q.Nodes) - 1)
	if rapid.Bool().Draw(t, "embedding") {
		g.q.Features = rapid.IntRange(1, len(g.q.Nodes)-1).Draw(t, "features")
	}
	if rapid.Bool().Draw(t, "hidden") {
		g.linear(false)
	}
	g.linear(true)
	return g
}

func drawBottleneck(t *rapid.T, g *generator) {
	before := len(g.q.Nodes) - 1
	in := g.q.Nodes[before].Out.Shape
	expanded := in.C
	if rapid.Bool().Draw(t, "expansion") {
		expanded = channels.Draw(t, "expanded")
		g.window(t, "pointwise", 1, expanded, none)
	}
	g.window(t, "depthwise", 1+2*rapid.IntRange(1, 2).Draw(t, "kernel"), expanded, none)
	if rapid.Bool().Draw(t, "squeeze-excite") {
		g.squeezeExcite(len(g.q.Nodes) - 1)
	}
	now := g.q.Nodes[len(g.q.Nodes)-1].Out.Shape
	if now.H == in.H && now.W == in.W && rapid.Bool().Draw(t, "residual") {
		g.window(t, "pointwise", 1, in.C, before)
	} else {
		g.window(t, "pointwise", 1, channels.Draw(t, "outputs"), none)
	}
}

// window adds a convolution of the last node's output, padded such that stride 1
// keeps the size.
func (g *generator) window(t *rapid.T, kind string, kernel, outputs, residual int) {
	from := len(g.q.Nodes) - 1
	in := g.q.Nodes[from].Out.Shape
	w := nn.Window{In: in.C, Out: outputs, KernelH: kernel, KernelW: kernel, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}
	if kind != "pointwise" {
		w.StrideH = rapid.IntRange(1, 2).Draw(t, "stride")
		w.StrideW = w.StrideH
		if kernel > 1 {
			w.DilationH = rapid.IntRange(1, 2).Draw(t, "dilation")
			w.DilationW = w.DilationH
		}
		side := kernel / 2 * w.DilationH
		w.Padding = nn.Padding{Top: side, Left: side, Bottom: side, Right: side}
	}
	if kind == "depthwise" {
		w.Groups = in.C
	}
	out, err := w.Infer(in)
	require.NoError(t, err)
	op := &nn.QConv{Window: w, Act: function.Draw(t, "function")}
	op.Weight = g.weights(w.Out * w.Taps())
	var bound []float64
	op.Bias, bound = g.bias(op.Weight, w.Taps(), 128)
	inputs := []int{from}
	if residual != none {
		op.Residual, op.ResidualM = true, g.multipliers(constant(w.Out, 256), maxSteps/2)
		inputs = append(inputs, residual)
	}
	op.Multiplier = g.multipliers(bound, maxSteps/2)
	g.append(op, g.tensor(out, op.Act), inputs...)
}
