package engine

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// networks is how many random networks a test draws: fewer under emulation.
func networks() uint64 {
	if testing.Short() {
		return 60
	}
	return 400
}

// TestAgainstEquations runs random networks through the engine step by step.
// Before each step everything in the arena and in the buffers that is not alive
// is overwritten, so a kernel that reads what it should not gives other bytes.
func TestAgainstEquations(t *testing.T) {
	drawn := map[string]int{}
	distinct := map[int8]bool{}
	for seed := range networks() {
		g := newGenerator(seed)
		q := g.network()
		var programs []*Program
		for _, isa := range kernel.ISAs() {
			for _, limits := range []bands{{ringWorth, ringBytes}, {0, 3000}} {
				p, err := compile(q, isa, limits)
				require.NoError(t, err, "network %d", seed)
				programs = append(programs, p)
			}
		}
		for range 2 {
			input := make([]int8, q.Nodes[0].Out.Shape.Len())
			g.fill(input)
			want := naive(q, input)
			for _, p := range programs {
				compare(t, seed, p, want)
			}
			for _, n := range want.tensors {
				for _, v := range n {
					distinct[v] = true
				}
			}
		}
		for k, n := range g.kinds {
			drawn[k] += n
		}
	}
	for _, k := range []string{
		"conv", "depthwise", "pointwise", "grouped", "conv+residual", "depthwise+residual", "pointwise+residual", "grouped+residual",
		"identity", "relu", "relu6", "hard_swish", "dilation", "asymmetric stride", "se hard_sigmoid", "se sigmoid", "add", "table",
	} {
		assert.Positive(t, drawn[k], "no random network had %s: the test does not test it", k)
	}
	assert.Len(t, distinct, 256, "int8 values that occurred as outputs")
}

// compare runs p on the input of want step by step, and then at once over
// whatever the poison left.
func compare(t *testing.T, seed uint64, p *Program, want outcome) {
	s := p.NewSession()
	copy(s.Input(), want.tensors[0])
	s.begin()
	for i := range p.steps {
		poison(s, i)
		st := &p.steps[i]
		s.job.run(i, 1)
		for _, from := range append([]int{st.node}, st.inputs...) {
			if from == none {
				continue
			}
			got := make([]int8, len(s.tensors[from]))
			kernel.Flip(got, s.tensors[from], p.isa.Flip())
			require.True(t, slices.Equal(want.tensors[from], got), "network %d step %d (%s): tensor %d\n%s", seed, i, st.op.kernel(), from, p)
		}
	}
	require.Equal(t, bits(want.logits), bits(s.buffers.logits), "network %d: logits\n%s", seed, p)
	require.Equal(t, bits(want.features), bits(s.Features()), "network %d: features\n%s", seed, p)

	copy(s.Input(), want.tensors[0])
	require.Equal(t, bits(want.logits), bits(s.Run()), "network %d: second run", seed)
	require.Equal(t, bits(want.features), bits(s.Features()), "network %d: features of the second run", seed)
}

// poison overwrites everything but the tensors that are alive at step i.
func poison(s *Session, i int) {
	keep := make([]bool, len(s.arena))
	for _, sp := range s.program.spans {
		if sp.size > 0 && (sp.from < i && sp.to >= i) {
			for at := sp.offset; at < sp.offset+sp.size; at++ {
				keep[at] = true
			}
		}
	}
	for at := range s.arena {
		if !keep[at] {
			s.arena[at] = int8(0x5b ^ i)
		}
	}
	fillWith(s.scratch.work.Acc, 0x5b5b5b5b)
	fillWith(s.scratch.work.Bytes, 0x5b)
	fillWith(s.scratch.patches, 0x5b)
	fillWith(s.scratch.ring, 0x5b)
	fillWith(s.scratch.filtered, 0x5b)
}

func fillWith[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

// TestArena checks what place promises, on random networks.
func TestArena(t *testing.T) {
	for seed := range networks() {
		p, err := Compile(newGenerator(seed).network())
		require.NoError(t, err)
		var live, most int64
		for i := -1; i < len(p.steps); i++ {
			live = 0
			for _, s := range p.spans {
				if s.size > 0 && s.from <= i && i <= s.to {
					live += s.size
				}
			}
			most = max(most, live)
		}
		require.GreaterOrEqual(t, int64(p.arena), most)
		for i, a := range p.spans {
			require.Zero(t, a.offset%alignment)
			require.LessOrEqual(t, a.offset+a.size+slack, int64(p.arena))
			for _, b := range p.spans[:i] {
				if a.size > 0 && b.size > 0 && a.overlaps(b) {
					require.True(t, a.offset+a.size <= b.offset || b.offset+b.size <= a.offset, "%v and %v share memory and time\n%s", a, b, p)
				}
			}
		}
	}
}

// TestConcurrent runs 16 sessions of one Program at once.
func TestConcurrent(t *testing.T) {
	g := newGenerator(7)
	q := g.network()
	p, err := Compile(q)
	require.NoError(t, err)
	inputs := make([][]int8, 16)
	want := make([]outcome, 16)
	for i := range inputs {
		inputs[i] = make([]int8, p.shapes[0].Len())
		g.fill(inputs[i])
		want[i] = naive(q, inputs[i])
	}
	var wg sync.WaitGroup
	for i := range inputs {
		wg.Go(func() {
			s := p.NewSession()
			for k := range inputs {
				k = (k + i) % len(inputs)
				copy(s.Input(), inputs[k])
				assert.Equal(t, bits(want[k].logits), bits(s.Run()))
				assert.Equal(t, bits(want[k].features), bits(s.Features()))
			}
		})
	}
	wg.Wait()
}

func TestRunDoesNotAllocate(t *testing.T) {
	for seed := range uint64(50) {
		p, err := Compile(newGenerator(seed).network())
		require.NoError(t, err)
		s := p.NewSession()
		assert.Zero(t, testing.AllocsPerRun(3, func() { s.Run(); s.Features() }), "network %d\n%s", seed, p)
	}
}

// TestCompileKeepsNothing changes a network after it is compiled.
func TestCompileKeepsNothing(t *testing.T) {
	for seed := range uint64(50) {
		g := newGenerator(seed)
		q := g.network()
		p, err := Compile(q)
		require.NoError(t, err)
		s := p.NewSession()
		input := make([]int8, len(s.Input()))
		g.fill(input)
		copy(s.Input(), input)
		logits, features := bits(s.Run()), bits(s.Features())
		scramble(q)
		copy(s.Input(), input)
		require.Equal(t, logits, bits(s.Run()), "network %d", seed)
		require.Equal(t, features, bits(s.Features()), "network %d", seed)
	}
}

func scramble(q *nn.Quantised) {
	for _, n := range q.Nodes {
		fillWith(n.Out.Scale, 3)
		fillWith(n.Out.Zero, 3)
		fillWith(n.Inputs, 0)
		if n.Op == nil {
			continue
		}
		for _, p := range n.Op.Params(nil, n.Out) {
			switch {
			case p.Int8 != nil:
				fillWith(*p.Int8, 3)
			case p.Int32 != nil:
				fillWith(*p.Int32, 3)
			default:
				fillWith(*p.Float, 3)
			}
		}
	}
}

// bits tells 0 from -0, and compares the NaN and infinities that an embedding
// with absurd scales can hold.
func bits(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}

func TestCompileRejects(t *testing.T) {
	q := newGenerator(1).network()
	q.Nodes[len(q.Nodes)-1].Op.(*nn.QLinear).Multiplier[0] = 1e30
	_, err := Compile(q)
	require.ErrorIs(t, err, nn.ErrGraph)
	assert.ErrorContains(t, err, q.Output().Name)

	_, err = Compile(&nn.Quantised{})
	require.ErrorIs(t, err, nn.ErrGraph)
}

// TestISAVariable: the environment chooses, and says so in the plan; what this
// CPU lacks is refused.
func TestISAVariable(t *testing.T) {
	q := newGenerator(1).network()
	for _, isa := range kernel.ISAs() {
		t.Setenv(kernel.ISAVariable, isa.String())
		p, err := Compile(q)
		require.NoError(t, err)
		assert.Equal(t, isa, p.isa)
		assert.Contains(t, p.String(), isa.String())
	}
	for _, name := range []string{"sse9", "neon", "avx2"} {
		t.Setenv(kernel.ISAVariable, name)
		if _, err := Compile(q); err != nil {
			require.ErrorIs(t, err, kernel.ErrISA)
			assert.ErrorContains(t, err, kernel.ISAVariable)
			assert.ErrorContains(t, err, name)
			assert.ErrorContains(t, err, "this CPU")
		} else {
			assert.NotEqual(t, "sse9", name)
		}
	}
}

// TestUnusedNodesAreNotRun adds a table that nothing reads.
func TestUnusedNodesAreNotRun(t *testing.T) {
	g := newGenerator(3)
	q := g.network()
	before, err := Compile(q)
	require.NoError(t, err)

	last := q.Nodes[len(q.Nodes)-1]
	q.Nodes = q.Nodes[:len(q.Nodes)-1]
	g.table(0)
	g.q.Nodes = append(g.q.Nodes, last)
	after, err := Compile(g.q)
	require.NoError(t, err)
	assert.Len(t, after.steps, len(before.steps))
}

// TestCompileRejectsHugeActivations: each node is within nn's limits, but
// all tables are alive at one time.
func TestCompileRejectsHugeActivations(t *testing.T) {
	g := newGenerator(9)
	in := nn.Shape{H: 4096, W: 2047, C: 16}
	g.q = &nn.Quantised{Nodes: []nn.QNode{{Name: "input", Out: g.tensor(in, nn.Identity)}}}
	for range 8 {
		g.table(0)
	}
	for id := 1; id <= 8; id++ {
		op := &nn.QAdd{A: make([]float32, in.C), B: make([]float32, in.C)}
		g.append(op, g.tensor(in, nn.Identity), id, len(g.q.Nodes)-1)
	}
	last := len(g.q.Nodes) - 1
	out := g.tensor(nn.Shape{H: 1, W: 1, C: in.C}, nn.Identity)
	g.append(&nn.QPool{Multiplier: make([]float32, in.C)}, out, last)
	g.linear(true)
	_, err := Compile(g.q)
	require.ErrorIs(t, err, ErrSize)
	assert.ErrorContains(t, err, in.String())
}
