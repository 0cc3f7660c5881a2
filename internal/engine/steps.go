package engine

import (
	"time"

	"github.com/seedge/seedge/nn"
)

// Step describes one step of a plan: what runs between two barriers.
type Step struct {
	Name        string     `json:"name"`   // of the node, or of several that run as one
	Kernel      string     `json:"kernel"` // what computes it
	ISA         string     `json:"isa"`    // of the kernel, and its tile if it has one
	Inputs      []nn.Shape `json:"inputs"`
	Output      nn.Shape   `json:"output"`
	MACs        int64      `json:"macs"`         // multiply-accumulates
	WeightBytes int        `json:"weight_bytes"` // packed
	InputBytes  int        `json:"input_bytes"`  // of activations read
	OutputBytes int        `json:"output_bytes"` // of activations written
}

// Steps lists the plan in the order in which it runs.
func (p *Program) Steps() []Step {
	steps := make([]Step, len(p.steps))
	for i, s := range p.steps {
		d := Step{
			Name: s.name, Kernel: s.op.kernel(), ISA: s.op.isa(), Output: s.out,
			MACs: s.macs, WeightBytes: s.op.weightBytes(), OutputBytes: s.out.Len(),
		}
		if s.node == none || p.spans[s.node].size == 0 {
			d.OutputBytes *= 4 // float32 or int32
		}
		for _, from := range s.inputs {
			d.Inputs = append(d.Inputs, p.shapes[from])
			d.InputBytes += p.shapes[from].Len()
		}
		if len(s.inputs) == 0 {
			d.Inputs, d.InputBytes = []nn.Shape{s.vector}, 4*s.vector.Len()
		}
		steps[i] = d
	}
	return steps
}

// RunTimed is Run and adds the time that each step took to elapsed, which holds
// a duration per step of the plan. It reads the clock once per step and
// allocates nothing.
func (s *Session) RunTimed(elapsed []time.Duration) []float32 {
	elapsed = elapsed[:len(s.program.steps)]
	s.begin()
	before := time.Now()
	threads := s.pool.enlist(&s.job)
	for i := range s.program.steps {
		s.job.run(i, threads)
		now := time.Now()
		elapsed[i] += now.Sub(before)
		before = now
	}
	s.pool.dismiss(&s.job)
	return s.buffers.logits
}

// ISA is the name of the instruction set that the program was compiled for.
func (p *Program) ISA() string { return p.isa.String() }

// Input is the shape of the input.
func (p *Program) Input() nn.Shape { return p.shapes[0] }

// ArenaBytes is the size of a session's activations.
func (p *Program) ArenaBytes() int { return p.arena }

// WeightBytes is the size of all packed weights, which sessions share.
func (p *Program) WeightBytes() int {
	n := 0
	for _, s := range p.steps {
		n += s.op.weightBytes()
	}
	return n
}

// MACs is the number of multiply-accumulates of one run.
func (p *Program) MACs() int64 {
	var n int64
	for _, s := range p.steps {
		n += s.macs
	}
	return n
}
