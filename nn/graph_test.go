package nn

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// window is a plain convolution's geometry, for tests to spoil.
func window(in, out, kernel int) Window {
	return Window{In: in, Out: out, KernelH: kernel, KernelW: kernel, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}
}

func spoilt(change func(*Window)) *Conv2D {
	w := window(3, 4, 3)
	change(&w)
	return &Conv2D{Window: w}
}

// TestWrongNodesAreNamed: shape inference says which node is wrong, and what
// was got and wanted.
func TestWrongNodesAreNamed(t *testing.T) {
	const huge = maxDim + 1
	for name, c := range map[string]struct {
		op     Op
		inputs []int
		says   string
	}{
		"wrong channels":         {&Conv2D{Window: window(4, 4, 3)}, []int{0}, "wants 4 input channels, got 8x8x3"},
		"kernel too large":       {&Conv2D{Window: window(3, 4, 9)}, []int{0}, "9x9 kernel with dilation 1x1 does not fit into its 8x8x3 input"},
		"dilated too large":      {spoilt(func(w *Window) { w.DilationW = 4 }), []int{0}, "dilation 1x4 does not fit"},
		"zero stride":            {spoilt(func(w *Window) { w.StrideH = 0 }), []int{0}, "stride is 0, want 1"},
		"zero stride across":     {spoilt(func(w *Window) { w.StrideW = 0 }), []int{0}, "stride is 0, want 1"},
		"negative dilation":      {spoilt(func(w *Window) { w.DilationH = -1 }), []int{0}, "dilation is -1, want 1"},
		"zero groups":            {spoilt(func(w *Window) { w.Groups = 0 }), []int{0}, "groups is 0, want 1"},
		"groups of input":        {spoilt(func(w *Window) { w.Groups = 2 }), []int{0}, "2 groups do not divide its 3 input"},
		"groups of output":       {spoilt(func(w *Window) { w.Groups = 3 }), []int{0}, "3 groups do not divide its 3 input and 4 output"},
		"no outputs":             {spoilt(func(w *Window) { w.Out = 0 }), []int{0}, "out is 0, want 1"},
		"zero kernel":            {spoilt(func(w *Window) { w.KernelW = 0 }), []int{0}, "kernel is 0, want 1"},
		"negative padding":       {spoilt(func(w *Window) { w.Padding.Right = -1 }), []int{0}, "padding is -1, want 0"},
		"huge padding":           {spoilt(func(w *Window) { w.Padding.Top = huge }), []int{0}, "padding is 65537"},
		"huge kernel":            {spoilt(func(w *Window) { w.KernelH = huge }), []int{0}, "kernel is 65537"},
		"huge stride":            {spoilt(func(w *Window) { w.StrideW = math.MaxInt }), []int{0}, "stride is"},
		"too many weights":       {spoilt(func(w *Window) { w.KernelH, w.KernelW, w.Padding = maxDim, maxDim, Pad(maxDim) }), []int{0}, "weights"},
		"output too large":       {spoilt(func(w *Window) { w.Padding = Pad(maxDim) }), []int{0}, "is too large"},
		"output too many":        {spoilt(func(w *Window) { w.Padding = Pad(maxDim / 4) }), []int{0}, "is too large"},
		"convolution, two in":    {&Conv2D{Window: window(3, 4, 3)}, []int{0, 0}, "wants 1 input, got 2"},
		"no input":               {&Activation{Func: ReLU}, nil, "wants 1 input, got 0"},
		"wrong input index":      {&Activation{Func: ReLU}, []int{7}, "input 0 is node 7, want 0 to 1"},
		"negative input index":   {&Activation{Func: ReLU}, []int{-1}, "input 0 is node -1, want 0 to 1"},
		"unknown activation":     {&Activation{Func: 99}, []int{0}, "unknown activation function Func(99)"},
		"add of other shapes":    {&Add{}, []int{0, 1}, "two inputs of one shape, got [8x8x3 1x1x3]"},
		"add of one":             {&Add{}, []int{0}, "two inputs of one shape, got [8x8x3]"},
		"pool of two":            {&GlobalAvgPool{}, []int{0, 0}, "wants 1 input, got 2"},
		"batch norm's channels":  {&BatchNorm{C: 4, Eps: 1e-3}, []int{0}, "4 channels, got [8x8x3]"},
		"batch norm, no eps":     {&BatchNorm{C: 3}, []int{0}, "eps is 0, want a number more than 0"},
		"batch norm, eps NaN":    {&BatchNorm{C: 3, Eps: math.NaN()}, []int{0}, "eps is NaN"},
		"batch norm, eps inf":    {&BatchNorm{C: 3, Eps: math.Inf(1)}, []int{0}, "eps is +Inf"},
		"linear on an image":     {&Linear{In: 3, Out: 2}, []int{0}, "wants one 1x1x3 input, got [8x8x3]"},
		"linear's width":         {&Linear{In: 4, Out: 2}, []int{1}, "wants one 1x1x4 input, got [1x1x3]"},
		"linear of none":         {&Linear{In: 3, Out: 0}, []int{1}, "3 to 0, want 1"},
		"linear too large":       {&Linear{In: maxDim, Out: maxDim}, []int{1}, "more than 268435456 weights"},
		"softmax of an image":    {&Softmax{}, []int{0}, "wants a vector, got 8x8x3"},
		"SE's channels":          {&SqueezeExcite{C: 4, Squeezed: 8, Inner: ReLU, Gate: Sigmoid}, []int{0}, "4 channels, got [8x8x3]"},
		"SE squeezed to nothing": {&SqueezeExcite{C: 3, Inner: ReLU, Gate: Sigmoid}, []int{0}, "3 channels squeezed to 0"},
		"SE's gate":              {&SqueezeExcite{C: 3, Squeezed: 8, Inner: ReLU, Gate: ReLU}, []int{0}, "gate is relu, want hard_sigmoid or sigmoid"},
		"SE's inner":             {&SqueezeExcite{C: 3, Squeezed: 8, Inner: 42, Gate: Sigmoid}, []int{0}, "inner activation is Func(42)"},
		"SE too large":           {&SqueezeExcite{C: maxDim, Squeezed: maxDim, Inner: ReLU, Gate: Sigmoid}, []int{0}, "weights"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGraph(Shape{8, 8, 3})
			g.Add("pool", &GlobalAvgPool{}, 0)
			require.NoError(t, g.Err())
			assert.Zero(t, g.Add("the culprit", c.op, c.inputs...))
			require.ErrorIs(t, g.Err(), ErrGraph)
			assert.ErrorContains(t, g.Err(), `node "the culprit" (`+c.op.Kind()+`)`)
			assert.ErrorContains(t, g.Err(), c.says)

			// The first mistake is kept, and such a graph does not run.
			first := g.Err()
			g.Add("later", &Add{}, 0)
			assert.Equal(t, first, g.Err())
			assert.Len(t, g.Nodes, 2)
			_, err := NewFloat(g)
			assert.Equal(t, first, err)
		})
	}
}

func TestWrongNames(t *testing.T) {
	for name, says := range map[string]string{"": "no name", "input": "name used twice", "pool": "name used twice"} {
		g := NewGraph(Shape{8, 8, 3})
		g.Add("pool", &GlobalAvgPool{}, 0)
		g.Add(name, &Activation{}, 0)
		require.ErrorIs(t, g.Err(), ErrGraph)
		assert.ErrorContains(t, g.Err(), says)
	}
	g := NewGraph(Shape{8, 8, 3})
	g.Add("nothing", nil, 0)
	assert.ErrorContains(t, g.Err(), `node "nothing": invalid graph: no operation`)
}

func TestWrongInputs(t *testing.T) {
	for _, s := range []Shape{{}, {0, 8, 3}, {8, -1, 3}, {8, 8, 0}, {maxDim + 1, 1, 1}, {1, 1, maxDim + 1}, {maxDim, maxDim, maxDim}, {maxDim, maxDim, 1}} {
		g := NewGraph(s)
		require.ErrorIs(t, g.Err(), ErrGraph, s.String())
		assert.ErrorContains(t, g.Err(), s.String())
		assert.ErrorIs(t, g.Check(), ErrGraph)
	}
	assert.NoError(t, NewGraph(Shape{1, 1, maxDim}).Err())
}

// residual is a small graph that uses its input twice.
func residual(t testing.TB) *Graph {
	g := NewGraph(Shape{4, 4, 2})
	a := g.Add("conv", &Conv2D{Window: window(2, 2, 1), HasBias: true, Weight: []float32{1, 0, 0, 1}, Bias: []float32{1, 2}}, 0)
	b := g.Add("bn", &BatchNorm{C: 2, Eps: 1, Gamma: []float32{2, 2}, Beta: []float32{0, 1}, Mean: []float32{0, 0}, Var: []float32{3, 3}}, a)
	s := g.Add("add", &Add{}, 0, b)
	g.Features = g.Add("pool", &GlobalAvgPool{}, s)
	g.Add("fc", &Linear{In: 2, Out: 1, Weight: []float32{1, -1}, Bias: []float32{0.5}}, g.Features)
	require.NoError(t, g.Err())
	return g
}

func TestGraphIsNavigable(t *testing.T) {
	g := residual(t)
	id, ok := g.Lookup("add")
	assert.True(t, ok)
	assert.Equal(t, 3, id)
	_, ok = g.Lookup("none")
	assert.False(t, ok)
	assert.Equal(t, Shape{4, 4, 2}, g.Input())
	assert.Equal(t, "fc", g.Output().Name)
	assert.Equal(t, []Shape{{4, 4, 2}, {4, 4, 2}}, g.InputShapes(3))
	assert.Equal(t, [][]int{{1, 3}, {2}, {3}, {4}, {5}, nil}, g.Consumers())
}

func TestAddKeepsItsOwnInputs(t *testing.T) {
	g := NewGraph(Shape{1, 1, 1})
	in := []int{0}
	g.Add("a", &Activation{}, in...)
	in[0] = 5
	assert.Equal(t, []int{0}, g.Nodes[1].Inputs)
}

func TestCheckNamesTheParameter(t *testing.T) {
	nan := float32(math.NaN())
	inf := float32(math.Inf(-1))
	for name, c := range map[string]struct {
		spoil func(*Graph)
		says  string
	}{
		"missing":           {func(g *Graph) { g.Nodes[1].Op.(*Conv2D).Weight = nil }, "conv.weight has 0 elements, want 4 ([2 1 1 2])"},
		"too long":          {func(g *Graph) { g.Nodes[5].Op.(*Linear).Bias = []float32{1, 2} }, "fc.bias has 2 elements, want 1 ([1])"},
		"NaN":               {func(g *Graph) { g.Nodes[2].Op.(*BatchNorm).Mean[1] = nan }, "bn.running_mean[1] is NaN"},
		"infinite":          {func(g *Graph) { g.Nodes[1].Op.(*Conv2D).Bias[0] = inf }, "conv.bias[0] is -Inf"},
		"negative variance": {func(g *Graph) { g.Nodes[2].Op.(*BatchNorm).Var[1] = -0.5 }, "bn.running_var[1] is -0.5"},
		"features":          {func(g *Graph) { g.Features = 6 }, "features are node 6, want 0 to 5"},
		"negative features": {func(g *Graph) { g.Features = -1 }, "features are node -1"},
		"nothing":           {func(g *Graph) { *g = *NewGraph(Shape{1, 1, 1}) }, "no operations"},
	} {
		t.Run(name, func(t *testing.T) {
			g := residual(t)
			require.NoError(t, g.Check())
			c.spoil(g)
			err := g.Check()
			require.ErrorIs(t, err, ErrGraph)
			assert.ErrorContains(t, err, c.says)
			_, err = NewFloat(g)
			assert.ErrorIs(t, err, ErrGraph)
		})
	}
	g := residual(t)
	g.Nodes[2].Op.(*BatchNorm).Var[0] = 0
	assert.NoError(t, g.Check(), "a constant channel has variance 0")
}

func TestNewOp(t *testing.T) {
	for _, kind := range []string{"conv2d", "linear", "squeeze_excite", "batch_norm", "activation", "add", "global_avg_pool", "softmax"} {
		op, err := NewOp(kind)
		require.NoError(t, err)
		assert.Equal(t, kind, op.Kind())
	}
	for _, kind := range []string{"conv2d", "linear", "squeeze_excite", "add", "global_avg_pool", "table"} {
		op, err := NewQOp(kind)
		require.NoError(t, err)
		assert.Equal(t, kind, op.Kind())
	}
	_, err := NewOp("table")
	assert.ErrorIs(t, err, ErrGraph)
	assert.ErrorContains(t, err, `"table"`)
	_, err = NewQOp("batch_norm")
	assert.ErrorIs(t, err, ErrGraph)
	assert.ErrorContains(t, err, `"batch_norm"`)
}
