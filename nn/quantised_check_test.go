package nn

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// qtensor is an int8 tensor of scale 0.1 and the given zero point.
func qtensor(s Shape, zero int8) QTensor {
	t := QTensor{Shape: s, Scale: make([]float32, s.C), Zero: make([]int8, s.C)}
	for c := range t.Scale {
		t.Scale[c], t.Zero[c] = 0.1, zero
	}
	return t
}

func fill[T any](n int, v T) []T { return slices.Repeat([]T{v}, n) }

// everyQ is a valid int8 network with one of each operation.
func everyQ() *Quantised {
	image, vector := Shape{6, 6, 2}, Shape{1, 1, 2}
	conv := window(2, 2, 3)
	conv.Padding, conv.Groups = Pad(1), 2
	return &Quantised{Features: 6, Nodes: []QNode{
		{Name: "input", Out: qtensor(image, 0)},
		{Name: "conv", Inputs: []int{0}, Out: qtensor(image, -128), Op: &QConv{
			Window: conv, Act: ReLU, Weight: fill(18, int8(-127)), Bias: fill(2, int32(1000)), Multiplier: fill(2, float32(1e-3))}},
		{Name: "se", Inputs: []int{1}, Out: qtensor(image, 3), Op: &QSqueezeExcite{
			Squeezed: 4, Gate: HardSigmoid, SqueezeM: fill(2, float32(0.5)),
			Reduce: fill(8, int8(127)), ReduceBias: fill(4, int32(-5)), ReduceM: fill(4, float32(1e-3)),
			Expand: fill(8, int8(-127)), ExpandBias: fill(2, int32(7)), ExpandM: fill(2, float32(1e-5)), ScaleM: fill(2, float32(1))}},
		{Name: "project", Inputs: []int{2, 0}, Out: qtensor(image, 5), Op: &QConv{
			Window: window(2, 2, 1), Residual: true, Weight: fill(4, int8(1)), Bias: fill(2, int32(0)), Multiplier: fill(2, float32(1)), ResidualM: fill(2, float32(1))}},
		{Name: "add", Inputs: []int{3, 1}, Out: qtensor(image, -128), Op: &QAdd{Act: ReLU, A: fill(2, float32(1)), B: fill(2, float32(-1))}},
		{Name: "table", Inputs: []int{4}, Out: qtensor(image, 0), Op: &QTable{Table: make([]int8, 512)}},
		{Name: "pool", Inputs: []int{5}, Out: qtensor(vector, 0), Op: &QPool{Multiplier: fill(2, float32(1))}},
		{Name: "hidden", Inputs: []int{6}, Out: qtensor(vector, 0), Op: &QLinear{
			In: 2, Out: 2, Act: HardSwish, Weight: fill(4, int8(5)), Bias: fill(2, int32(0)), Multiplier: fill(2, float32(1))}},
		{Name: "logits", Inputs: []int{7}, Out: QTensor{Shape: vector}, Op: &QLinear{
			In: 2, Out: 2, Float: true, Weight: fill(4, int8(5)), Bias: fill(2, int32(0)), Multiplier: fill(2, float32(1))}},
	}}
}

// TestQuantisedCheck spoils a valid network in each way that Check knows.
func TestQuantisedCheck(t *testing.T) {
	require.NoError(t, everyQ().Check())
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	conv := func(q *Quantised) *QConv { return q.Nodes[1].Op.(*QConv) }
	se := func(q *Quantised) *QSqueezeExcite { return q.Nodes[2].Op.(*QSqueezeExcite) }
	project := func(q *Quantised) *QConv { return q.Nodes[3].Op.(*QConv) }
	add := func(q *Quantised) *QAdd { return q.Nodes[4].Op.(*QAdd) }
	pool := func(q *Quantised) *QPool { return q.Nodes[6].Op.(*QPool) }
	hidden := func(q *Quantised) *QLinear { return q.Nodes[7].Op.(*QLinear) }
	logits := func(q *Quantised) *QLinear { return q.Nodes[8].Op.(*QLinear) }
	for name, c := range map[string]struct {
		spoil func(*Quantised)
		node  string // that the message names; "" for the network as a whole
		says  string
	}{
		"empty":                  {func(q *Quantised) { q.Nodes = nil }, "", "no operations"},
		"input alone":            {func(q *Quantised) { q.Nodes = q.Nodes[:1] }, "", "no operations"},
		"features beyond":        {func(q *Quantised) { q.Features = 9 }, "", "features are node 9, want 0 to 8"},
		"features negative":      {func(q *Quantised) { q.Features = -1 }, "", "features are node -1"},
		"int8 at the end":        {func(q *Quantised) { q.Nodes = q.Nodes[:8] }, "", `ends in node "hidden", want a linear layer with float output`},
		"input with operation":   {func(q *Quantised) { q.Nodes[0].Op = &QTable{} }, "input", "node 0 must be the input"},
		"input with input":       {func(q *Quantised) { q.Nodes[0].Inputs = []int{0} }, "input", "node 0 must be the input"},
		"input without scales":   {func(q *Quantised) { q.Nodes[0].Out.Scale = nil }, "input", "0 scales and 2 zero points, want 2"},
		"no operation":           {func(q *Quantised) { q.Nodes[3].Op = nil }, "project", "no operation"},
		"input from itself":      {func(q *Quantised) { q.Nodes[5].Inputs[0] = 5 }, "table", "input 0 is node 5, want 0 to 4"},
		"input from later":       {func(q *Quantised) { q.Nodes[5].Inputs[0] = 6 }, "table", "input 0 is node 6, want 0 to 4"},
		"input negative":         {func(q *Quantised) { q.Nodes[5].Inputs[0] = -1 }, "table", "input 0 is node -1"},
		"inputs too few":         {func(q *Quantised) { q.Nodes[3].Inputs = []int{2} }, "project", "has 1 inputs, want 2"},
		"inputs too many":        {func(q *Quantised) { q.Nodes[1].Inputs = []int{0, 0} }, "conv", "has 2 inputs, want 1"},
		"no inputs":              {func(q *Quantised) { q.Nodes[2].Inputs = nil }, "se", "has 0 inputs, want 1"},
		"residual's shape":       {func(q *Quantised) { project(q).Padding = Pad(1); q.Nodes[3].Out.Shape = Shape{8, 8, 2} }, "project", "residual 6x6x2 does not fit 8x8x2"},
		"shape":                  {func(q *Quantised) { q.Nodes[1].Out.Shape.H = 5 }, "conv", "shape 5x6x2, want 6x6x2"},
		"shape of nothing":       {func(q *Quantised) { q.Nodes[1].Out.Shape.W = 0 }, "conv", "shape 6x0x2, want 1 to"},
		"shape too large":        {func(q *Quantised) { q.Nodes[0].Out.Shape = Shape{maxDim, maxDim, 2} }, "input", "shape 65536x65536x2, want 1 to"},
		"window":                 {func(q *Quantised) { conv(q).StrideH = 0 }, "conv", "stride is 0"},
		"squeezed to nothing":    {func(q *Quantised) { se(q).Squeezed = 0 }, "se", "squeezed to 0"},
		"gate":                   {func(q *Quantised) { se(q).Gate = ReLU }, "se", "gate is relu"},
		"weights short":          {func(q *Quantised) { conv(q).Weight = conv(q).Weight[1:] }, "conv", "weight has 17 elements, want 18 ([2 3 3 1])"},
		"bias long":              {func(q *Quantised) { conv(q).Bias = make([]int32, 3) }, "conv", "bias has 3 elements, want 2"},
		"no multipliers":         {func(q *Quantised) { conv(q).Multiplier = nil }, "conv", "multiplier has 0 elements, want 2"},
		"no residual multiplier": {func(q *Quantised) { project(q).ResidualM = nil }, "project", "residual has 0 elements, want 2"},
		"table short":            {func(q *Quantised) { q.Nodes[5].Op = &QTable{Table: make([]int8, 256)} }, "table", "table has 256 elements, want 512"},
		"NaN multiplier":         {func(q *Quantised) { conv(q).Multiplier[1] = nan }, "conv", "multiplier of channel 1 is NaN"},
		"infinite multiplier":    {func(q *Quantised) { se(q).ExpandM[1] = inf }, "se", "expand.multiplier of channel 1 is +Inf"},
		"negative scale":         {func(q *Quantised) { q.Nodes[3].Out.Scale[1] = -0.1 }, "project", "scale of channel 1 is -0.1, want"},
		"zero scale":             {func(q *Quantised) { q.Nodes[3].Out.Scale[0] = 0 }, "project", "scale of channel 0 is 0"},
		"NaN scale":              {func(q *Quantised) { q.Nodes[0].Out.Scale[0] = nan }, "input", "scale of channel 0 is NaN"},
		"infinite scale":         {func(q *Quantised) { q.Nodes[6].Out.Scale[0] = inf }, "pool", "scale of channel 0 is +Inf"},
		"zero points short":      {func(q *Quantised) { q.Nodes[6].Out.Zero = []int8{1} }, "pool", "2 scales and 1 zero points, want 2"},
		"relu's zero point":      {func(q *Quantised) { q.Nodes[1].Out.Zero[1] = -127 }, "conv", "zero point of channel 1 after relu is -127, want -128"},
		"relu6's zero point":     {func(q *Quantised) { project(q).Act = ReLU6 }, "project", "zero point of channel 0 after relu6 is 5"},
		"hidden relu":            {func(q *Quantised) { hidden(q).Act = ReLU }, "hidden", "after relu is 0, want -128"},
		"add's zero point":       {func(q *Quantised) { q.Nodes[4].Out.Zero[0] = 0 }, "add", "after relu is 0, want -128"},
		"convolution's sigmoid":  {func(q *Quantised) { conv(q).Act = Sigmoid }, "conv", "activation sigmoid, want identity, relu, relu6 or hard_swish"},
		"unknown activation":     {func(q *Quantised) { hidden(q).Act = 77 }, "hidden", "activation Func(77), want identity"},
		"add's activation":       {func(q *Quantised) { add(q).Act = HardSwish }, "add", "activation hard_swish after add, want identity or relu"},
		"float activation":       {func(q *Quantised) { logits(q).Act = ReLU }, "logits", "float32 output with activation relu, want identity"},
		"float with scales":      {func(q *Quantised) { q.Nodes[8].Out = qtensor(q.Nodes[8].Out.Shape, 0) }, "logits", "float32 output with int8 scales"},
		"float with zero points": {func(q *Quantised) { q.Nodes[8].Out.Zero = make([]int8, 2) }, "logits", "float32 output with int8 scales"},
		"float in the middle":    {func(q *Quantised) { hidden(q).Float = true; q.Nodes[7].Out.Scale, q.Nodes[7].Out.Zero = nil, nil }, "hidden", "float32 output before the end"},
		"weight -128":            {func(q *Quantised) { conv(q).Weight[10] = -128 }, "conv", "weight 1 of output channel 1 is -128"},
		"linear's weight -128":   {func(q *Quantised) { hidden(q).Weight[0] = -128 }, "hidden", "weight 0 of output channel 0 is -128"},
		"reduce's weight -128":   {func(q *Quantised) { se(q).Reduce[3] = -128 }, "se", "reduce: weight 1 of output channel 1 is -128"},
		"expand's weight -128":   {func(q *Quantised) { se(q).Expand[3] = -128 }, "se", "expand: weight 3 of output channel 0 is -128"},
		"accumulator":            {func(q *Quantised) { conv(q).Bias[1] = math.MaxInt32 - 9*127*128 + 1 }, "conv", "output channel 1: accumulator can reach 2147483648"},
		"accumulator below":      {func(q *Quantised) { conv(q).Bias[0] = math.MinInt32 }, "conv", "output channel 0: accumulator can reach"},
		"reduce's accumulator":   {func(q *Quantised) { se(q).ReduceBias[2] = math.MaxInt32 - 2*127*MaxSqueeze + 1 }, "se", "reduce: output channel 2: accumulator"},
		"expand's accumulator":   {func(q *Quantised) { se(q).ExpandBias[1] = math.MaxInt32 - 4*127*MaxSqueeze + 1 }, "se", "expand: output channel 1: accumulator"},
		"logits' accumulator":    {func(q *Quantised) { logits(q).Bias[0] = math.MaxInt32 }, "logits", "accumulator can reach"},
		"steps":                  {func(q *Quantised) { conv(q).Multiplier[1] = -1e5 }, "conv", "channel 1: the output can reach"},
		"steps of the residual":  {func(q *Quantised) { project(q).ResidualM[1] = 1 << 22 }, "project", "channel 1: the output can reach"},
		"steps of add":           {func(q *Quantised) { add(q).B[0] = -1 << 22 }, "add", "channel 0: the output can reach"},
		"steps of the pool":      {func(q *Quantised) { pool(q).Multiplier[1] = 1 << 20 }, "pool", "channel 1: the output can reach"},
		"steps of squeeze":       {func(q *Quantised) { se(q).SqueezeM[1] = 1 << 20 }, "se", "channel 1: the output can reach"},
		"steps of reduce":        {func(q *Quantised) { se(q).ReduceM[3] = 1e6 }, "se", "reduce: channel 3: the output can reach"},
		"steps of scale":         {func(q *Quantised) { se(q).ScaleM[0] = 1 << 22 }, "se", "channel 0: the output can reach"},
	} {
		t.Run(name, func(t *testing.T) {
			q := everyQ()
			c.spoil(q)
			err := q.Check()
			require.ErrorIs(t, err, ErrGraph)
			assert.ErrorContains(t, err, c.says)
			if c.node != "" {
				assert.ErrorContains(t, err, `quantised node "`+c.node+`"`)
			}
		})
	}
}

// TestQuantisedCheckAtTheEdge: what just fits is accepted.
func TestQuantisedCheckAtTheEdge(t *testing.T) {
	q := everyQ()
	conv := q.Nodes[1].Op.(*QConv)
	conv.Bias[1] = math.MaxInt32 - 9*127*128
	conv.Multiplier[1] = 0.4999 // 2^31 * 0.4999 is below 2^30 steps
	se := q.Nodes[2].Op.(*QSqueezeExcite)
	se.ReduceBias[2] = math.MaxInt32 - 2*127*MaxSqueeze
	se.ReduceM[2] = 0.4999
	se.ScaleM[0] = 1<<22 - 1
	assert.NoError(t, q.Check())

	// The widest layer of MobileNetV3 cannot overflow inside squeeze-and-excitation.
	_, err := accumulators(fill(960, int8(127)), []int32{1 << 20}, 960, MaxSqueeze)
	assert.NoError(t, err)
}

func TestPoolOfTooManyPositions(t *testing.T) {
	assert.ErrorContains(t, checkSums(Shape{4096, 2048, 1}, []float32{1e-9}), "too many positions")
	assert.NoError(t, checkSums(Shape{2048, 2048, 1}, []float32{1e-9}))
}

func TestQuantisedCosts(t *testing.T) {
	q := everyQ()
	for id, want := range []Cost{{}, {18 + 2, 36 * 2 * 9}, {16 + 6, 16}, {4 + 2, 36 * 4}, {}, {}, {}, {4 + 2, 4}, {4 + 2, 4}} {
		assert.Equal(t, want, q.Cost(id), q.Nodes[id].Name)
	}
}
