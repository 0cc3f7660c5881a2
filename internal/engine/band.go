package engine

import "github.com/seedge/seedge/internal/kernel"

// ringBytes bounds the rows of an expanded tensor that are alive at one time, so
// that they stay in the caches of the smallest boards: a Cortex-A53 has 32 KiB
// and shares 512.
const ringBytes = 48 << 10

// bandOp is a depthwise convolution, alone or with the pointwise ones before and
// after it. It goes through the image a band of rows at a time: the rows that are
// new to the band are expanded into a ring, filtered, and projected while they
// are in cache, so that the expanded tensor never exists as a whole.
type bandOp struct {
	name      string
	geometry  kernel.Geometry
	expand    *kernel.GEMM // nil: the input is what is filtered
	depthwise *kernel.DepthwiseConv
	project   *kernel.GEMM // nil: what was filtered is the output
	band      int          // rows of outputs at a time
	squeeze   int          // which squeeze gets the sums of the outputs; none if negative
}

// bands decides what is made a band of rows at a time.
type bands struct {
	worth int // least size of an expanded tensor, in bytes
	ring  int // size of the rings, in bytes
}

// rows is how many rows of outputs a ring serves.
func (b bands) rows(g *kernel.Geometry) int {
	rows := b.ring / (g.InW * g.InC)
	return min(max(1, (rows-window(g))/g.StrideH+1), g.OutH)
}

// window is the rows of the input that a row of outputs depends on.
func window(g *kernel.Geometry) int { return (g.KernelH-1)*g.DilationH + 1 }

func (o *bandOp) kernel() string { return o.name }
func (o *bandOp) isa() string    { return o.depthwise.String() }
func (o *bandOp) weightBytes() int {
	n := o.depthwise.Bytes()
	for _, m := range []*kernel.GEMM{o.expand, o.project} {
		if m != nil {
			n += m.Bytes()
		}
	}
	return n
}

func (o *bandOp) needs() scratchSize {
	n := scratchSize{WorkspaceSize: o.depthwise.Needs()}
	if o.expand != nil {
		n.Grow(o.expand.Needs())
		n.ring = o.geometry.Ring * o.geometry.InW * o.geometry.InC
	}
	if o.project != nil {
		n.Grow(o.project.Needs())
		n.filtered = o.band * o.geometry.OutW * o.geometry.OutC
	}
	return n
}

func (o *bandOp) units() int { return o.geometry.OutH }

func (o *bandOp) prepare(s *Session, chunks int) {
	if o.squeeze >= 0 {
		s.squeezes[o.squeeze].parts = chunks
	}
}

// ringState says which rows of the expanded tensor are in a thread's ring, so
// that a chunk can go on where the one before it ended.
type ringState struct {
	op      *bandOp
	session *Session
	run     uint64 // of the session
	row     int    // of outputs, that comes next
	next    int    // row of the expanded tensor that comes next
}

func (o *bandOp) run(c chunk) {
	g, w := &o.geometry, c.scratch
	var sums []int32
	if o.squeeze >= 0 {
		sums = c.session.squeezes[o.squeeze].sums[c.index]
		clear(sums)
	}
	in, next := c.in[0], 0
	if o.expand != nil {
		in = w.ring
		if s := w.inRing; s.op == o && s.session == c.session && s.run == c.session.runs && s.row == c.from {
			next = s.next
		}
	}
	for y := c.from; y < c.to; y += o.band {
		n := min(o.band, c.to-y)
		if o.expand != nil {
			next = o.fill(next, y, n, c)
		}
		if o.project == nil {
			out, residual := c.part(y, n, g.OutW*g.OutC)
			o.depthwise.Rows(out, in, residual, y, y+n, sums, w.work)
			continue
		}
		o.depthwise.Rows(w.filtered, in, nil, y, y+n, sums, w.work)
		out, residual := c.part(y, n, g.OutW*o.project.N)
		o.project.Run(out, w.filtered, residual, n*g.OutW, w.work)
	}
	w.inRing = ringState{o, c.session, c.session.runs, c.to, next}
}

// fill expands the rows that n rows of outputs from y on depend on, from row next
// on, into the ring. It returns the row that comes next.
func (o *bandOp) fill(next, y, n int, c chunk) int {
	g := &o.geometry
	top := y*g.StrideH - g.Top
	end := min(top+(n-1)*g.StrideH+window(g), g.InH)
	for next = max(next, top, 0); next < end; {
		rows := min(end-next, g.Ring-next%g.Ring)
		from := c.in[0][next*g.InW*o.expand.K:]
		o.expand.Run(c.scratch.ring[next%g.Ring*g.InW*g.InC:], from, nil, rows*g.InW, c.scratch.work)
		next += rows
	}
	return next
}
