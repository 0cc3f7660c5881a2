package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filter is a depthwise convolution and its input.
type filter struct {
	g         Geometry
	weight    []int8
	bias      []int32
	zero, src []int8
	e         Epilogue
}

func randomFilter(r *rand.Rand, size, channels int, f Activation) *filter {
	for {
		g := Geometry{
			InH: 1 + r.IntN(12), InW: 1 + r.IntN(12), InC: channels, OutC: channels, KernelH: size, KernelW: size,
			StrideH: 1 + r.IntN(2), StrideW: 1 + r.IntN(2), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2), Groups: channels,
			Top: r.IntN(size + 1), Left: r.IntN(size + 1),
		}
		h, w := g.InH+g.Top+r.IntN(size+1)-(size-1)*g.DilationH, g.InW+g.Left+r.IntN(size+1)-(size-1)*g.DilationW
		if h < 1 || w < 1 {
			continue
		}
		g.OutH, g.OutW = (h-1)/g.StrideH+1, (w-1)/g.StrideW+1
		return newFilter(r, g, f)
	}
}

func newFilter(r *rand.Rand, g Geometry, f Activation) *filter {
	p := randomProduct(r, g.InH*g.InW, g.KernelH*g.KernelW, g.InC, f, false)
	return &filter{g, p.weight, p.bias, randomInt8(r, g.InC, 128), randomInt8(r, g.InH*g.InW*g.InC, 128), p.epilogue}
}

func (f *filter) want() []int8 {
	dst := make([]int8, f.g.OutH*f.g.OutW*f.g.OutC)
	Depthwise(dst, f.src, nil, f.zero, &f.g, PackDepthwise(f.weight, f.g.OutC), f.bias, &f.e, make([]int32, f.g.OutC))
	return dst
}

func (t *depthwiseTile) String() string { return fmt.Sprintf("%s %dx%d", t.isa, t.size, t.size) }

func (t *columnsTile) String() string {
	name := fmt.Sprintf("%s %dx%d x%d masked %t", t.isa, t.size, t.size, t.channels, t.masked)
	if t.only != 0 {
		name += fmt.Sprint(" only ", t.only)
	}
	return name
}

// TestPackDepthwiseConv: which kernel a shape gets, and that all agree.
func TestPackDepthwiseConv(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, isa := range ISAs() {
		for _, c := range []struct {
			size, channels int
			own            bool
		}{{3, 40, true}, {5, 40, true}, {2, 40, false}, {3, 5, isa == VNNI}, {3, 8, isa != NEON && isa != AVX2}, {5, 8, isa != NEON && isa != AVX2}} {
			f := randomFilter(r, c.size, c.channels, HardSwish)
			d := PackDepthwiseConv(isa, f.g, f.weight, f.bias, f.zero, &f.e)
			if c.own && isa != Generic {
				require.NotEqual(t, Generic, d.ISA(), "%s %v", isa, c)
			} else {
				require.Equal(t, Generic, d.ISA(), "%s %v", isa, c)
			}
			require.LessOrEqual(t, d.ISA(), isa)
			require.Contains(t, d.String(), d.ISA().String())
			dst := make([]int8, f.g.OutH*f.g.OutW*f.g.OutC)
			d.Run(dst, flipped(f.src, isa), nil, NewWorkspace(d.Needs()))
			require.Equal(t, f.want(), flipped(dst, isa), "%s %v", isa, c)
		}
	}
}

func TestDepthwiseUnderGC(t *testing.T) {
	type task struct {
		d         *DepthwiseConv
		src, want []int8 // as held
	}
	r := rand.New(rand.NewPCG(6, 4))
	var tasks []task
	for _, isa := range ISAs() {
		for _, s := range [][2]int{{3, 72}, {5, 72}, {3, 8}} {
			f := randomFilter(r, s[0], s[1], HardSwish)
			tasks = append(tasks, task{PackDepthwiseConv(isa, f.g, f.weight, f.bias, f.zero, &f.e), flipped(f.src, isa), flipped(f.want(), isa)})
		}
	}
	underGC(t, 6, func(r *rand.Rand) bool {
		k := tasks[r.IntN(len(tasks))]
		dst := make([]int8, len(k.want))
		k.d.Run(dst, k.src, nil, NewWorkspace(k.d.Needs()))
		return slices.Equal(k.want, dst)
	})
}

func TestDepthwiseDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, isa := range ISAs() {
		f := randomFilter(r, 3, 40, Identity)
		d := PackDepthwiseConv(isa, f.g, f.weight, f.bias, f.zero, &f.e)
		w, dst := NewWorkspace(d.Needs()), make([]int8, f.g.OutH*f.g.OutW*f.g.OutC)
		assert.Zero(t, testing.AllocsPerRun(5, func() { d.Run(dst, f.src, nil, w) }), isa.String())
	}
}
