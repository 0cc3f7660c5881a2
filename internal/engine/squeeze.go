package engine

import "github.com/seedge/seedge/internal/kernel"

// squeezeState is what a session keeps of one squeeze-and-excitation between its
// steps.
type squeezeState struct {
	sums    [][]int32 // of each chunk of the step that added up, [C]
	parts   int       // chunks that it had
	buffers kernel.SqueezeBuffers
	gate    []float32 // [C]
}

// squeezeSize is the channels and the squeezed width.
type squeezeSize struct{ channels, squeezed int }

func newSqueezeState(n squeezeSize, parts int) squeezeState {
	s := squeezeState{sums: make([][]int32, parts), gate: make([]float32, n.channels)}
	for i := range s.sums {
		s.sums[i] = make([]int32, n.channels)
	}
	most := max(n.channels, n.squeezed)
	s.buffers = kernel.SqueezeBuffers{
		Sum: make([]int32, most), Float: make([]float32, most),
		Squeeze: make([]int16, n.channels+kernel.WideStep), Inner: make([]int16, n.squeezed+kernel.WideStep),
	}
	return s
}

// excitation is embedded in the steps of one squeeze-and-excitation.
type excitation struct {
	*kernel.SqueezeExcitation
	index  int // of the session's squeezeState
	pixels int
	input  int  // the node
	sums   bool // the first part adds up the input's channels itself
}

// sumsAtOnce bounds the tensors, in bytes, that are added up in one piece before
// the first layer: handing parts to threads would take longer.
const sumsAtOnce = 64 << 10

func (o *excitation) isa() string { return o.ISA().String() }

// squeeze finishes the sums.
func (o *excitation) squeeze(session *Session, w *scratch) {
	s := &session.squeezes[o.index]
	sum := s.sums[0]
	if o.sums {
		clear(sum)
		o.AddSums(sum, session.tensors[o.input], w.work)
		s.parts = 1
	}
	for _, part := range s.sums[1:s.parts] {
		for c, v := range part[:len(sum)] {
			sum[c] += v
		}
	}
	o.Squeeze(sum, o.pixels, &s.buffers, w.work)
}

// sumsOp adds up the channels of a tensor where no convolution does.
type sumsOp struct{ excitation }

func (o *sumsOp) kernel() string     { return "squeeze" }
func (o *sumsOp) weightBytes() int   { return 0 }
func (o *sumsOp) needs() scratchSize { return scratchSize{} }
func (o *sumsOp) units() int         { return o.pixels }
func (o *sumsOp) prepare(s *Session, chunks int) {
	s.squeezes[o.index].parts = chunks
}
func (o *sumsOp) run(c chunk) {
	sum := c.session.squeezes[o.index].sums[c.index]
	clear(sum)
	o.AddSums(sum, c.in[0][c.from*len(sum):c.to*len(sum)], c.scratch.work)
}

// gateOp makes the gate of the sums in one piece.
type gateOp struct {
	whole
	excitation
}

func (o *gateOp) kernel() string { return "excite" }
func (o *gateOp) weightBytes() int {
	return len(o.Reduce) + len(o.Expand) + 4*(len(o.ReduceBias)+len(o.ExpandBias))
}
func (o *gateOp) needs() scratchSize { return scratchSize{} }
func (o *gateOp) run(c chunk) {
	s := &c.session.squeezes[o.index]
	o.squeeze(c.session, c.scratch)
	o.ReducePart(&s.buffers, 0, o.ReducePanels(), c.scratch.work)
	o.Inner(&s.buffers, c.scratch.work)
	o.ExpandPart(s.gate, &s.buffers, 0, o.ExpandPanels(), c.scratch.work)
}

// reduceOp is the first layer, by panels.
type reduceOp struct{ excitation }

func (o *reduceOp) kernel() string            { return "excite reduce" }
func (o *reduceOp) weightBytes() int          { return len(o.Reduce) + 4*len(o.ReduceBias) }
func (o *reduceOp) needs() scratchSize        { return scratchSize{} }
func (o *reduceOp) units() int                { return o.ReducePanels() }
func (o *reduceOp) prepare(s *Session, _ int) { o.squeeze(s, s.scratch) }
func (o *reduceOp) run(c chunk) {
	o.ReducePart(&c.session.squeezes[o.index].buffers, c.from, c.to, c.scratch.work)
}

// expandOp is the second layer and the gate, by panels.
type expandOp struct{ excitation }

func (o *expandOp) kernel() string            { return "excite expand" }
func (o *expandOp) weightBytes() int          { return len(o.Expand) + 4*len(o.ExpandBias) }
func (o *expandOp) needs() scratchSize        { return scratchSize{} }
func (o *expandOp) units() int                { return o.ExpandPanels() }
func (o *expandOp) prepare(s *Session, _ int) { o.Inner(&s.squeezes[o.index].buffers, s.scratch.work) }
func (o *expandOp) run(c chunk) {
	s := &c.session.squeezes[o.index]
	o.ExpandPart(s.gate, &s.buffers, c.from, c.to, c.scratch.work)
}

// rescaleOp multiplies a tensor with its gate.
type rescaleOp struct {
	simple
	excitation
}

func (o *rescaleOp) kernel() string     { return "rescale" }
func (o *rescaleOp) weightBytes() int   { return 0 }
func (o *rescaleOp) needs() scratchSize { return scratchSize{} }
func (o *rescaleOp) units() int         { return o.pixels }
func (o *rescaleOp) run(c chunk) {
	n := len(o.ScaleM)
	first, end := c.from*n, c.to*n
	o.Rescale(c.out[first:end], c.in[0][first:end], c.session.squeezes[o.index].gate, c.scratch.work)
}

// scaledBytes bounds the pixels that are multiplied with a gate before they are
// projected.
const scaledBytes = 48 << 10

// scaledOp is a pointwise convolution of a tensor times its gate, some pixels at
// a time.
type scaledOp struct {
	simple
	excitation
	product *kernel.GEMM
	block   int // pixels at a time
}

func newScaledOp(e excitation, product *kernel.GEMM) *scaledOp {
	tile := product.TileRows()
	return &scaledOp{excitation: e, product: product, block: min(max(1, scaledBytes/product.K/tile)*tile, max(e.pixels, product.MinRows()))}
}

func (o *scaledOp) kernel() string   { return "rescale pointwise" }
func (o *scaledOp) isa() string      { return o.product.String() }
func (o *scaledOp) weightBytes() int { return o.product.Bytes() }
func (o *scaledOp) needs() scratchSize {
	return scratchSize{WorkspaceSize: o.product.Needs(), filtered: (o.block + o.product.TileRows()) * o.product.K}
}
func (o *scaledOp) units() int { return max(1, o.pixels/o.product.TileRows()) }
func (o *scaledOp) run(c chunk) {
	k, n := o.product.K, o.product.N
	first, end := c.from*o.product.TileRows(), c.to*o.product.TileRows()
	if c.to == o.units() {
		end = o.pixels
	}
	gate := c.session.squeezes[o.index].gate
	for first < end {
		pixels := end - first
		if pixels >= o.block+o.product.MinRows() {
			pixels = o.block
		}
		o.Rescale(c.scratch.filtered[:pixels*k], c.in[0][first*k:][:pixels*k], gate, c.scratch.work)
		out, residual := c.part(first, pixels, n)
		o.product.Run(out, c.scratch.filtered, residual, pixels, c.scratch.work)
		first += pixels
	}
}
