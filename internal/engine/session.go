package engine

import "github.com/seedge/seedge/internal/kernel"

// Session is the memory to run a Program in. It is not safe for concurrent use;
// sessions of one Program are independent.
type Session struct {
	program *Program
	pool    *Pool
	job     job
	arena   []int8   // tensors, int8 or what kernel.ISA.Flip makes of it
	tensors [][]int8 // of each node, in the arena
	buffers buffers
	scratch *scratch // of the caller's thread
	runs    uint64   // that were begun

	squeezes []squeezeState
}

// scratchSize counts elements of working memory.
type scratchSize struct {
	kernel.WorkspaceSize
	patches, ring, filtered int
}

func (s *scratchSize) grow(t scratchSize) {
	s.WorkspaceSize.Grow(t.WorkspaceSize)
	s.patches = max(s.patches, t.patches)
	s.ring = max(s.ring, t.ring)
	s.filtered = max(s.filtered, t.filtered)
}

// scratch is what one thread works in. Nothing in it outlives a chunk of a step,
// except that the next chunk can find the ring as inRing says.
type scratch struct {
	work     *kernel.Workspace
	patches  []int8
	ring     []int8 // rows of an expanded tensor
	inRing   ringState
	filtered []int8 // what is to be projected
}

func (p *Program) newScratch() *scratch {
	n := p.scratch
	return &scratch{
		work: kernel.NewWorkspace(n.WorkspaceSize), patches: make([]int8, n.patches),
		ring: make([]int8, n.ring+slack)[:n.ring], filtered: make([]int8, n.filtered+slack)[:n.filtered],
	}
}

// buffers is a session's memory outside the arena.
type buffers struct {
	logits   []float32
	features []float32
}

// NewSession allocates the arena and all working memory of a session that runs
// on its caller's goroutine alone.
func (p *Program) NewSession() *Session { return p.NewPool(1).NewSession() }

// NewSession allocates the arena and all working memory of a session that runs
// on the pool.
func (p *Pool) NewSession() *Session {
	program := p.program
	s := &Session{
		program: program, pool: p, scratch: program.newScratch(),
		arena: make([]int8, program.arena), tensors: make([][]int8, len(program.spans)),
	}
	s.job = job{session: s, slots: make([]slot, p.threads), workers: make([]*worker, 0, len(p.workers))}
	for id, at := range program.spans {
		if at.size > 0 {
			s.tensors[id] = s.arena[at.offset : at.offset+at.size : at.offset+at.size]
		}
	}
	for _, n := range program.squeezes {
		s.squeezes = append(s.squeezes, newSqueezeState(n, p.threads*chunksPerThread))
	}
	s.buffers = buffers{logits: make([]float32, program.logits), features: make([]float32, program.features.length)}
	return s
}

// Input is the input tensor, [H][W][C], to be filled before every Run: later
// activations may take its place in the arena.
func (s *Session) Input() []int8 { return s.tensors[0] }

// Run computes the network on Input. It returns the logits, which are valid
// until the next Run.
func (s *Session) Run() []float32 {
	threads := s.pool.enlist(&s.job)
	s.begin()
	for i := range s.program.steps {
		s.job.run(i, threads)
	}
	s.pool.dismiss(&s.job)
	return s.buffers.logits
}

// begin brings the input into the form in which the plan holds its tensors.
func (s *Session) begin() {
	s.runs++
	kernel.Hold(s.program.isa, s.tensors[0], s.scratch.work)
}

// chunk computes chunk k of the n that step i is cut into.
func (s *Session) chunk(i, k, n int, w *scratch) {
	st := &s.program.steps[i]
	units := st.op.units()
	c := chunk{session: s, scratch: w, index: k, from: units * k / n, to: units * (k + 1) / n}
	if st.node != none {
		c.out = s.tensors[st.node]
	}
	for i, from := range st.inputs {
		c.in[i] = s.tensors[from]
	}
	st.op.run(c)
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
