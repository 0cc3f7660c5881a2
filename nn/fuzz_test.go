package nn

import (
	"math"
	"testing"

	"github.com/seedge/seedge/internal/golden"
)

// FuzzGraph builds a graph from bytes. Whatever they say, building gives a
// graph or an error; a graph that was accepted has consistent shapes and costs
// that are not negative, and a small one runs.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{8, 8, 3, 0, 0, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	f.Add([]byte{5, 7, 4, 0, 0, 4, 4, 3, 3, 2, 1, 2, 1, 4, 2, 0, 1, 2, 2, 1, 4, 8, 1, 4, 3, 0, 1, 5, 0, 6, 2, 4, 9})
	f.Add([]byte{1, 1, 2, 1, 0, 2, 3, 3, 1, 3, 4, 1, 3, 7, 1})
	f.Add([]byte{255, 255, 255, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		next := func() int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			switch {
			case b == 255:
				return math.MaxInt32
			case b > 250:
				return maxDim
			case b > 240:
				return -int(b - 240)
			}
			return int(b)
		}
		g := NewGraph(Shape{next(), next(), next()})
		for i := 0; len(data) > 0 && i < 20 && g.Err() == nil; i++ {
			kind, from := next()%8, next()
			inputs := []int{from}
			var op Op
			switch kind {
			case 0:
				op = &Conv2D{Window: Window{next(), next(), next(), next(), next(), next(), next(), next(), next(), Padding{next(), next(), next(), next()}}}
			case 1:
				op = &Linear{In: next(), Out: next()}
			case 2:
				op = &SqueezeExcite{C: next(), Squeezed: next(), Inner: Func(next()), Gate: Func(next())}
			case 3:
				op = &BatchNorm{C: next(), Eps: float64(next())}
			case 4:
				op = &Activation{Func: Func(next())}
			case 5:
				op, inputs = &Add{}, append(inputs, next())
			case 6:
				op = &GlobalAvgPool{}
			default:
				op = &Softmax{}
			}
			g.Add(string(rune('a'+i)), op, inputs...)
		}
		work := int64(0)
		for id, n := range g.Nodes {
			c := g.Cost(id)
			if n.Shape.Len() < 1 && g.Err() == nil || c.MACs < 0 || c.Params < 0 {
				t.Fatalf("node %d: shape %v, cost %+v", id, n.Shape, c)
			}
			work += c.MACs + c.Params + int64(n.Shape.Len())
		}
		if g.Err() != nil || work > 1<<16 || len(g.Nodes) < 2 {
			return
		}
		for _, n := range g.Nodes[1:] {
			for _, p := range n.Op.Params() {
				*p.Data = golden.Values(1, n.Name+p.Name, p.Len())
				for i, v := range *p.Data {
					if p.Variance {
						(*p.Data)[i] = v * v
					}
				}
			}
		}
		run, err := NewFloat(g)
		if err != nil {
			t.Fatal(err)
		}
		out, err := run.Run(make([]float32, g.Input().Len()))
		if err != nil || len(out) != g.Output().Shape.Len() {
			t.Fatalf("%d outputs, want %s; %v", len(out), g.Output().Shape, err)
		}
	})
}
