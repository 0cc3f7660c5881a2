package engine

import (
	"errors"
	"fmt"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/nn"
)

// ErrSize is wrapped by the error about a network whose activations do not fit
// maxArena.
var ErrSize = errors.New("network too large")

// maxArena bounds the activations that live at one time, in bytes. A network
// within it runs on the smallest boards; one that is far beyond it comes from a
// damaged or hostile model file.
const maxArena = 1 << 30

// Program is a compiled network: an ordered list of kernel calls with packed
// weights. It is immutable and safe for concurrent use.
type Program struct {
	shapes   []nn.Shape // of each node's output
	spans    []span     // where each node's int8 output lies in the arena; none for logits
	steps    []step
	arena    int // bytes
	scratch  scratchSize
	squeezes []squeezeSize
	features features
	logits   int // number of logits
	isa      kernel.ISA
}

// step is what runs between two barriers: a node, several nodes at once, or a
// part of one.
type step struct {
	name   string
	node   int      // whose tensor is written; none if it is not one of the arena's
	out    nn.Shape // of what is written
	inputs []int    // nodes whose tensors are read
	vector nn.Shape // of what is read where that is not a tensor
	macs   int64
	op     operation
	most   int // chunks that it can be cut into with profit
}

const none = -1

// chunks is how many chunks to cut the step into for so many threads.
func (s *step) chunks(threads int) int {
	if threads == 1 {
		return 1
	}
	return min(s.most, threads*chunksPerThread)
}

// Compile checks q and packs it into a Program, which keeps nothing of q, for
// the fastest instruction set of this CPU or the one that the environment
// variable SEEDGE_ISA names: generic, neon, dotprod, i8mm, avx2 or vnni. The
// error wraps nn.ErrGraph where q is wrong, ErrSize where its activations need
// more than 1 GiB, and kernel.ErrISA where SEEDGE_ISA is not to be had.
func Compile(q *nn.Quantised) (*Program, error) {
	isa, err := kernel.DefaultISA()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return CompileFor(q, isa)
}

// CompileFor is Compile for an instruction set, one of kernel.ISAs. The bytes of
// every result are the same for all.
func CompileFor(q *nn.Quantised, isa kernel.ISA) (*Program, error) {
	if err := q.Check(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return compile(q, isa, bands{ringWorth, ringBytes})
}

func compile(q *nn.Quantised, isa kernel.ISA, limits bands) (*Program, error) {
	p := &Program{logits: q.Output().Out.Shape.C, isa: isa}
	needed := reachable(q)
	c := compiler{q: q, isa: isa, program: p, limits: limits, groups: fuse(q, needed, limits), squeeze: map[int]int{}}
	for id, n := range q.Nodes {
		p.shapes = append(p.shapes, n.Out.Shape)
		if _, ok := n.Op.(*nn.QSqueezeExcite); ok && needed[id] {
			c.squeeze[id] = len(c.squeeze)
		}
	}
	for id, n := range q.Nodes {
		if id == 0 || !needed[id] {
			continue
		}
		if err := c.node(id); err != nil {
			return nil, fmt.Errorf("engine: node %q: %w: %w", n.Name, nn.ErrGraph, err)
		}
	}
	p.features = featuresOf(q)
	spans := p.lifetimes()
	arena := place(spans)
	if arena > maxArena {
		return nil, fmt.Errorf("engine: the activations of a %s input need %d bytes at one time, at most %d are supported; use a smaller input: %w",
			p.shapes[0], arena, maxArena, ErrSize)
	}
	p.spans, p.arena = spans, int(arena)
	return p, nil
}

// reachable marks the nodes that the logits or the embedding depend on; others
// are not run.
func reachable(q *nn.Quantised) []bool {
	needed := make([]bool, len(q.Nodes))
	needed[0], needed[q.Features], needed[len(q.Nodes)-1] = true, true, true
	for id := len(q.Nodes) - 1; id > 0; id-- {
		if needed[id] {
			for _, from := range q.Nodes[id].Inputs {
				needed[from] = true
			}
		}
	}
	return needed
}
