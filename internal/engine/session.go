package engine

import "github.com/seedge/seedge/internal/kernel"

// Session is the memory to run a Program in. It is not safe for concurrent use;
// sessions of one Program are independent.
type Session struct {
	program *Program
	arena   []int8   // tensors, int8 or what kernel.ISA.Flip makes of it
	tensors [][]int8 // of each node, in the arena
	buffers buffers
}

// scratchSize counts elements of working memory.
type scratchSize struct {
	kernel.WorkspaceSize
	patches, squeeze, inner, gate int
}

func (s *scratchSize) grow(t scratchSize) {
	s.WorkspaceSize.Grow(t.WorkspaceSize)
	s.patches = max(s.patches, t.patches)
	s.squeeze = max(s.squeeze, t.squeeze)
	s.inner = max(s.inner, t.inner)
	s.gate = max(s.gate, t.gate)
}

// buffers is a session's memory outside the arena. Nothing in work, patches and
// squeeze outlives a step.
type buffers struct {
	work     *kernel.Workspace
	patches  []int8
	squeeze  kernel.SqueezeBuffers
	logits   []float32
	features []float32
}

// NewSession allocates the arena and all working memory.
func (p *Program) NewSession() *Session {
	s := &Session{program: p, arena: make([]int8, p.arena), tensors: make([][]int8, len(p.spans))}
	for id, at := range p.spans {
		if at.size > 0 {
			s.tensors[id] = s.arena[at.offset : at.offset+at.size : at.offset+at.size]
		}
	}
	n := p.scratch
	s.buffers = buffers{
		work:    kernel.NewWorkspace(n.WorkspaceSize),
		patches: make([]int8, n.patches),
		squeeze: kernel.SqueezeBuffers{
			Squeeze: make([]int16, n.squeeze), Inner: make([]int16, n.inner),
			Float: make([]float32, max(n.gate, n.inner)), Gate: make([]float32, n.gate),
		},
		logits:   make([]float32, p.logits),
		features: make([]float32, p.features.length),
	}
	s.buffers.squeeze.Sum = s.buffers.work.Acc
	return s
}

// Input is the input tensor, [H][W][C], to be filled before every Run: later
// activations may take its place in the arena.
func (s *Session) Input() []int8 { return s.tensors[0] }

// Run computes the network on Input. It returns the logits, which are valid
// until the next Run.
func (s *Session) Run() []float32 {
	s.begin()
	for i := range s.program.steps {
		s.run(&s.program.steps[i])
	}
	return s.buffers.logits
}

// begin brings the input into the form in which the plan holds its tensors.
func (s *Session) begin() {
	if flip := s.program.isa.Flip(); flip != 0 {
		kernel.Flip(s.tensors[0], s.tensors[0], flip)
	}
}

func (s *Session) run(st *step) {
	var in [2][]int8
	for i, from := range st.inputs {
		in[i] = s.tensors[from]
	}
	st.op.run(&s.buffers, in, s.tensors[st.node])
}

// Features is the embedding of the latest Run, valid until the next: the
// output of node Features of the quantised network. After a global average
// pool it is float32 from before the rounding (docs/arithmetic.md, section 3),
// elsewhere the int8 tensor's real values (equation 1), NHWC. It is nil if the
// network names no such node (0).
func (s *Session) Features() []float32 {
	f := &s.program.features
	switch {
	case f.node == 0:
		return nil
	case f.stays:
		kernel.Dequantise(s.buffers.features, s.tensors[f.node], f.scale, f.zero, s.program.isa.Flip())
	case f.logits:
		return s.buffers.logits
	}
	return s.buffers.features
}
