package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCostOfEachOperation, counted by hand on a 6x5x4 input or on a vector of 4.
func TestCostOfEachOperation(t *testing.T) {
	image, vector := Shape{6, 5, 4}, Shape{1, 1, 4}
	same := func(w Window) Window { w.Padding = Pad(1); return w }
	strided := same(window(4, 7, 3))
	strided.StrideH, strided.StrideW = 2, 2
	grouped := same(window(4, 6, 3))
	grouped.Groups = 2
	depthwise := same(window(4, 4, 3))
	depthwise.Groups = 4
	for name, c := range map[string]struct {
		in     Shape
		op     Op
		inputs int
		want   Cost
	}{
		"dense":          {image, &Conv2D{Window: same(window(4, 7, 3))}, 1, Cost{7 * 9 * 4, 6 * 5 * 7 * 9 * 4}},
		"dense, biased":  {image, &Conv2D{Window: same(window(4, 7, 3)), HasBias: true}, 1, Cost{7*9*4 + 7, 6 * 5 * 7 * 9 * 4}},
		"strided":        {image, &Conv2D{Window: strided}, 1, Cost{7 * 9 * 4, 3 * 3 * 7 * 9 * 4}},
		"grouped":        {image, &Conv2D{Window: grouped}, 1, Cost{6 * 9 * 2, 6 * 5 * 6 * 9 * 2}},
		"depthwise":      {image, &Conv2D{Window: depthwise}, 1, Cost{4 * 9, 6 * 5 * 4 * 9}},
		"pointwise":      {image, &Conv2D{Window: window(4, 7, 1)}, 1, Cost{7 * 4, 6 * 5 * 7 * 4}},
		"linear":         {vector, &Linear{In: 4, Out: 3}, 1, Cost{4*3 + 3, 4 * 3}},
		"squeeze-excite": {image, &SqueezeExcite{C: 4, Squeezed: 8, Inner: ReLU, Gate: HardSigmoid}, 1, Cost{2*4*8 + 8 + 4, 2 * 4 * 8}},
		"batch norm":     {image, &BatchNorm{C: 4, Eps: 1}, 1, Cost{2 * 4, 0}},
		"activation":     {image, &Activation{Func: HardSwish}, 1, Cost{}},
		"add":            {image, &Add{}, 2, Cost{}},
		"pool":           {image, &GlobalAvgPool{}, 1, Cost{}},
		"softmax":        {vector, &Softmax{}, 1, Cost{}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGraph(c.in)
			id := g.Add("layer", c.op, make([]int, c.inputs)...)
			require.NoError(t, g.Err())
			assert.Equal(t, c.want, g.Cost(id))
			assert.Equal(t, Cost{}, g.Cost(0), "the input costs nothing")
			assert.Equal(t, c.want, g.Total(nil))
			assert.Equal(t, Cost{}, g.Total(func(Node) bool { return false }))
			_, se := c.op.(*SqueezeExcite)
			assert.Equal(t, se, IsSqueezeExcite(g.Nodes[id]))
		})
	}
}

func TestWindowKinds(t *testing.T) {
	depthwise := window(4, 4, 3)
	depthwise.Groups = 4
	multiplied := window(4, 8, 3)
	multiplied.Groups = 4
	strided := window(4, 8, 1)
	strided.StrideW = 2
	padded := window(4, 8, 1)
	padded.Padding.Left = 1
	for name, c := range map[string]struct {
		w                    Window
		depthwise, pointwise bool
	}{
		"dense": {window(4, 8, 3), false, false}, "pointwise": {window(4, 8, 1), false, true},
		"depthwise": {depthwise, true, false}, "two outputs a channel": {multiplied, false, false},
		"strided": {strided, false, false}, "padded": {padded, false, false},
	} {
		assert.Equal(t, c.depthwise, c.w.Depthwise(), name)
		assert.Equal(t, c.pointwise, c.w.Pointwise(), name)
	}
}
