package engine

import "github.com/seedge/seedge/internal/kernel"

// operation is a step's kernels with their packed parameters.
type operation interface {
	// kernel is what the operation is called in listings.
	kernel() string
	// isa is the instruction set of the kernel that was chosen, and its tile if
	// it has one.
	isa() string
	// weightBytes is the size of the packed weights.
	weightBytes() int
	// needs is the working memory of run.
	needs() scratchSize
	// units is how many parts the operation can be cut into.
	units() int
	// prepare is called once before a step is run in some chunks.
	prepare(s *Session, chunks int)
	// run computes some of the units: it reads the inputs and writes to out or to
	// the session's buffers. Other threads compute the others meanwhile.
	run(c chunk)
}

// chunk is a part of a step, computed by one thread: units from to to of the
// operation's.
type chunk struct {
	session  *Session
	scratch  *scratch // of the thread
	index    int      // of the chunk
	from, to int
	in       [2][]int8 // the second is a residual, nil if there is none
	out      []int8
}

// part is n rows of the output and of the residual from row first on, for rows
// of width bytes.
func (c *chunk) part(first, n, width int) (out, residual []int8) {
	out = c.out[first*width : (first+n)*width]
	if c.in[1] != nil {
		residual = c.in[1][first*width : (first+n)*width]
	}
	return out, residual
}

// span is what units from to to of a chunk are of all rows, for units of unit
// rows: the last has what is left over.
func (c *chunk) span(unit, all int) (first, end int) {
	first, end = c.from*unit, c.to*unit
	if end+unit > all {
		end = all
	}
	return first, end
}

// simple is embedded in operations that need no preparation.
type simple struct{}

func (simple) prepare(*Session, int) {}

// whole is embedded in operations that are computed in one piece.
type whole struct{ simple }

func (whole) units() int { return 1 }

// generic is embedded in operations that have but a portable kernel.
type generic struct{}

func (generic) isa() string { return kernel.Generic.String() }

// pointwiseOp is a product of pixels and a matrix. Where there are more bytes of
// pixels than of weights, threads share the pixels; otherwise they share the
// columns, so that each reads its own part of the weights.
type pointwiseOp struct {
	simple
	pixels  int
	product *kernel.GEMM
	panels  int // parts of the columns
	blocks  int // parts of the pixels
}

func newPointwiseOp(pixels int, product *kernel.GEMM) *pointwiseOp {
	o := &pointwiseOp{pixels: pixels, product: product, panels: 1, blocks: max(1, pixels/product.TileRows())}
	if product.Panels() > 1 && product.Bytes() > pixels*(product.K+product.N) {
		o.panels, o.blocks = product.Panels(), min(2, o.blocks)
	}
	return o
}

func (o *pointwiseOp) kernel() string {
	if o.pixels == 1 {
		return "gemv"
	}
	return "pointwise"
}
func (o *pointwiseOp) isa() string        { return o.product.String() }
func (o *pointwiseOp) weightBytes() int   { return o.product.Bytes() }
func (o *pointwiseOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.product.Needs()} }

// units are blocks of pixels in panels of columns; the next block comes before
// the next panel.
func (o *pointwiseOp) units() int { return o.panels * o.blocks }
func (o *pointwiseOp) run(c chunk) {
	if o.panels == 1 {
		o.part(c, c.from, c.to, 0, o.product.Panels())
		return
	}
	first, end := c.from/o.blocks, c.to/o.blocks
	from, to := c.from%o.blocks, c.to%o.blocks
	if first == end {
		o.part(c, from, to, first, first+1)
		return
	}
	if from > 0 {
		o.part(c, from, o.blocks, first, first+1)
		first++
	}
	if first < end {
		o.part(c, 0, o.blocks, first, end)
	}
	if to > 0 {
		o.part(c, 0, to, end, end+1)
	}
}

// part computes blocks from to to of the pixels in panels first to end.
func (o *pointwiseOp) part(c chunk, from, to, first, end int) {
	tile := o.product.TileRows()
	tiles := max(1, o.pixels/tile)
	row, last := from*tiles/o.blocks*tile, to*tiles/o.blocks*tile
	if to == o.blocks {
		last = o.pixels
	}
	out, residual := c.part(row, last-row, o.product.N)
	o.product.RunPanels(out, c.in[0][row*o.product.K:], residual, last-row, first, end, c.scratch.work)
}

// convOp is a convolution with one group.
type convOp struct {
	simple
	geometry kernel.Geometry
	conv     *kernel.DenseConv
}

func (o *convOp) kernel() string   { return "conv" }
func (o *convOp) isa() string      { return o.conv.String() }
func (o *convOp) weightBytes() int { return o.conv.Bytes() }
func (o *convOp) needs() scratchSize {
	return scratchSize{WorkspaceSize: o.conv.Needs(), patches: o.conv.PatchBytes()}
}

// unit is the rows of outputs that the kernel can compute by themselves.
func (o *convOp) unit() int  { return (o.conv.MinRows() + o.geometry.OutW - 1) / o.geometry.OutW }
func (o *convOp) units() int { return max(1, o.geometry.OutH/o.unit()) }
func (o *convOp) run(c chunk) {
	first, end := c.span(o.unit(), o.geometry.OutH)
	out, residual := c.part(first, end-first, o.geometry.OutW*o.geometry.OutC)
	o.conv.Rows(out, c.in[0], residual, first, end, c.scratch.patches, c.scratch.work)
}

// groupedOp is a convolution with several groups, of several channels each.
type groupedOp struct {
	simple
	generic
	geometry kernel.Geometry
	conv     *kernel.GroupedConv
}

func (o *groupedOp) kernel() string   { return "grouped" }
func (o *groupedOp) weightBytes() int { return o.conv.Bytes() }
func (o *groupedOp) needs() scratchSize {
	return scratchSize{WorkspaceSize: o.conv.Needs(), patches: o.conv.PatchBytes()}
}
func (o *groupedOp) units() int { return o.geometry.OutH }
func (o *groupedOp) run(c chunk) {
	out, residual := c.part(c.from, c.to-c.from, o.geometry.OutW*o.geometry.OutC)
	o.conv.Rows(out, c.in[0], residual, c.from, c.to, c.scratch.patches, c.scratch.work)
}

// channelsOp is a depthwise convolution of an image that has fewer rows than its
// channels have parts: threads share those, and a kernel keeps all rows.
type channelsOp struct {
	simple
	conv *kernel.DepthwiseConv
}

func (o *channelsOp) kernel() string     { return "depthwise" }
func (o *channelsOp) isa() string        { return o.conv.String() }
func (o *channelsOp) weightBytes() int   { return o.conv.Bytes() }
func (o *channelsOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.conv.Needs()} }
func (o *channelsOp) units() int         { return o.conv.Parts() }
func (o *channelsOp) run(c chunk) {
	o.conv.RunParts(c.out, c.in[0], c.in[1], c.from, c.to, c.scratch.work)
}

type logitsOp struct {
	simple
	product *kernel.GEMM
}

func (o *logitsOp) kernel() string     { return "logits" }
func (o *logitsOp) isa() string        { return o.product.String() }
func (o *logitsOp) weightBytes() int   { return o.product.Bytes() }
func (o *logitsOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.product.Needs()} }
func (o *logitsOp) units() int         { return o.product.Panels() }
func (o *logitsOp) run(c chunk) {
	o.product.LogitsPanels(c.session.buffers.logits, c.in[0], c.from, c.to, c.scratch.work)
}

type poolOp struct {
	whole
	summer     kernel.Summer
	outZero    []int8
	multiplier []float32
	embedding  []float32 // multipliers of the embedding; nil if it is not read here
	flip       int8      // of out: kernel.ISA.Flip
}

func (o *poolOp) kernel() string     { return "pool" }
func (o *poolOp) isa() string        { return o.summer.ISA().String() }
func (o *poolOp) weightBytes() int   { return 0 }
func (o *poolOp) needs() scratchSize { return scratchSize{WorkspaceSize: acc(len(o.multiplier))} }
func (o *poolOp) run(c chunk) {
	sum := c.scratch.work.Acc[:len(o.multiplier)]
	o.summer.Run(sum, c.in[0], c.scratch.work)
	kernel.Pool(c.out, sum, o.multiplier, o.outZero, o.flip)
	if o.embedding != nil {
		kernel.Scale(c.session.buffers.features, sum, o.embedding)
	}
}

type addOp struct {
	simple
	generic
	pixels int
	kernel.Add
}

func (o *addOp) kernel() string     { return "add" }
func (o *addOp) weightBytes() int   { return 0 }
func (o *addOp) needs() scratchSize { return scratchSize{} }
func (o *addOp) units() int         { return o.pixels }
func (o *addOp) run(c chunk) {
	first, end := c.from*len(o.A), c.to*len(o.A)
	o.Run(c.out[first:end], c.in[0][first:end], c.in[1][first:end])
}

type tableOp struct {
	simple
	generic
	table            []int8
	pixels, channels int
}

func (o *tableOp) kernel() string     { return "table" }
func (o *tableOp) weightBytes() int   { return len(o.table) }
func (o *tableOp) needs() scratchSize { return scratchSize{} }
func (o *tableOp) units() int         { return o.pixels }
func (o *tableOp) run(c chunk) {
	first, end := c.from*o.channels, c.to*o.channels
	kernel.Table(c.out[first:end], c.in[0][first:end], o.table, o.channels)
}

func acc(n int) kernel.WorkspaceSize { return kernel.WorkspaceSize{Acc: n} }
