package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
)

// mobilenet makes an int8 network of MobileNetV3's structure: batch norms,
// activations and residuals taken into the convolutions, weights random,
// multipliers such that activations fill int8 as they do in a trained network.
func mobilenet(tb testing.TB, arch string, size int) *nn.Quantised {
	c := mobilenetv3.Default(arch)
	c.Height, c.InputW = size, size
	g, err := mobilenetv3.New(c)
	require.NoError(tb, err)
	b := randomised{rand.New(rand.NewPCG(3, 4)), &nn.Quantised{}, make([]int, len(g.Nodes))}
	for id, n := range g.Nodes {
		b.node(tb, g, id, n)
	}
	b.q.Features = b.place[g.Features]
	return b.q
}

type randomised struct {
	*rand.Rand
	q     *nn.Quantised
	place []int // of each node of the graph in q
}

func (b *randomised) node(tb testing.TB, g *nn.Graph, id int, n nn.Node) {
	add := func(op nn.QOp, inputs ...int) {
		b.q.Nodes = append(b.q.Nodes, nn.QNode{Name: n.Name, Op: op, Inputs: inputs, Out: b.tensor(n.Shape)})
	}
	var from int
	if id > 0 {
		from = b.place[n.Inputs[0]]
	}
	last := len(b.q.Nodes) - 1
	switch op := n.Op.(type) {
	case nil:
		add(nil)
	case *nn.Conv2D:
		add(&nn.QConv{
			Window: op.Window, Weight: b.int8s(op.Out * op.Taps()), Bias: b.int32s(op.Out), Multiplier: b.floats(op.Out, gain(op.Taps())),
		}, from)
	case *nn.BatchNorm:
	case *nn.Activation:
		switch before := b.q.Nodes[last].Op.(type) {
		case *nn.QConv:
			before.Act = op.Func
		case *nn.QLinear:
			before.Act = op.Func
		}
		if op.Func == nn.ReLU {
			for c := range b.q.Nodes[last].Out.Zero {
				b.q.Nodes[last].Out.Zero[c] = -128
			}
		}
	case *nn.Add:
		project := b.q.Nodes[last].Op.(*nn.QConv)
		project.Residual, project.ResidualM = true, b.floats(project.Out, 0.7)
		b.q.Nodes[last].Inputs = append(b.q.Nodes[last].Inputs, b.place[n.Inputs[1]])
	case *nn.SqueezeExcite:
		positions := float64(n.Shape.H * n.Shape.W)
		add(&nn.QSqueezeExcite{
			Squeezed: op.Squeezed, Gate: op.Gate, SqueezeM: b.floats(op.C, 100/positions),
			Reduce: b.int8s(op.C * op.Squeezed), ReduceBias: b.int32s(op.Squeezed), ReduceM: b.floats(op.Squeezed, 1/(80*math.Sqrt(float64(op.C)))),
			Expand: b.int8s(op.C * op.Squeezed), ExpandBias: b.int32s(op.C), ExpandM: b.floats(op.C, 1e-6), ScaleM: b.floats(op.C, 1.2),
		}, from)
	case *nn.GlobalAvgPool:
		in := g.InputShapes(id)[0]
		add(&nn.QPool{Multiplier: b.floats(in.C, 1/float64(in.H*in.W))}, from)
	case *nn.Linear:
		l := &nn.QLinear{
			In: op.In, Out: op.Out, Float: id == len(g.Nodes)-1,
			Weight: b.int8s(op.In * op.Out), Bias: b.int32s(op.Out), Multiplier: b.floats(op.Out, gain(op.In)),
		}
		add(l, from)
		if l.Float {
			b.q.Nodes[last+1].Out = nn.QTensor{Shape: n.Shape}
		}
	default:
		require.FailNow(tb, fmt.Sprintf("no integer counterpart of %s", n.Op.Kind()))
	}
	b.place[id] = len(b.q.Nodes) - 1
}

// gain brings sums of random products to a deviation of about 40 steps.
func gain(taps int) float64 { return 40 / (73 * 50 * math.Sqrt(float64(taps))) }

func (b *randomised) tensor(s nn.Shape) nn.QTensor {
	t := nn.QTensor{Shape: s, Scale: b.floats(s.C, 0.05), Zero: make([]int8, s.C)}
	for c := range t.Zero {
		t.Zero[c] = int8(b.IntN(256) - 128)
	}
	return t
}

func (b *randomised) int8s(n int) []int8 {
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(b.IntN(255) - 127)
	}
	return v
}

func (b *randomised) int32s(n int) []int32 {
	v := make([]int32, n)
	for i := range v {
		v[i] = b.Int32N(4001) - 2000
	}
	return v
}

func (b *randomised) floats(n int, around float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(around * (0.5 + b.Float64()))
	}
	return v
}

// TestMobileNet runs both networks, at an odd size, against the equations.
func TestMobileNet(t *testing.T) {
	for _, arch := range []string{mobilenetv3.Large, mobilenetv3.Small} {
		q := mobilenet(t, arch, 33)
		input := make([]int8, q.Nodes[0].Out.Shape.Len())
		for i := range input {
			input[i] = int8(i * 37)
		}
		want := naive(q, input)
		for _, isa := range kernel.ISAs() {
			p, err := CompileFor(q, isa)
			require.NoError(t, err)
			s := p.NewSession()
			copy(s.Input(), input)
			require.Equal(t, bits(want.logits), bits(s.Run()), arch)
			require.Equal(t, bits(want.features), bits(s.Features()), arch)
			t.Logf("%s at 33x33:\n%s", arch, p)
		}
	}
}

// TestPlan holds the listing to what is known of the network.
func TestPlan(t *testing.T) {
	p, err := Compile(mobilenet(t, mobilenetv3.Large, 224))
	require.NoError(t, err)
	plan := p.String()
	for _, want := range []string{
		"224x224x3", "stem", "bneck3.expand + bneck3.depthwise + bneck3.project", "bneck15.depthwise", "pointwise", "rescale pointwise", "gemv", "logits", "112x112x16", "1x1x1000", "216589760",
	} {
		assert.Contains(t, plan, want)
	}
	// The widest point is bneck 1, since the expansions after it never exist as a
	// whole.
	assert.Equal(t, 112*112*16+112*112*16+slack, p.arena, plan)
}

func BenchmarkMobileNetV3Large(b *testing.B) {
	for _, size := range []int{64, 224} {
		q := mobilenet(b, mobilenetv3.Large, size)
		for _, isa := range kernel.ISAs() {
			b.Run(fmt.Sprintf("%d/%s", size, isa), func(b *testing.B) { benchmark(b, q, isa) })
		}
	}
}

func benchmark(b *testing.B, q *nn.Quantised, isa kernel.ISA) {
	p, err := CompileFor(q, isa)
	require.NoError(b, err)
	var macs int64
	for id := range q.Nodes {
		macs += q.Cost(id).MACs
	}
	s := p.NewSession()
	for b.Loop() {
		for i := range s.Input() {
			s.Input()[i] = int8(i * 37)
		}
		s.Run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(seconds*1e3, "ms")
	b.ReportMetric(float64(macs)/seconds/1e9, "GMAC/s")
}
