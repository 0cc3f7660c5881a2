package engine

import "github.com/seedge/seedge/internal/kernel"

// chunk is a part of a step, computed by one thread: units from to to of the
// operation's.
type chunk struct {
	session  *Session
	scratch  *scratch // of the thread
	index    int      // of the chunk
	from, to int
	in       [2][]int8
	out      []int8
}

// rows is the part of a convolution's output that a chunk is.
type rows struct {
	from, to      int
	out, residual []int8
}

// rows is what c computes of a convolution whose units are of unit rows; the
// last has what is left over.
func (c *chunk) rows(g *kernel.Geometry, unit int) rows {
	r := rows{from: c.from * unit, to: c.to * unit}
	if r.to+unit > g.OutH {
		r.to = g.OutH
	}
	first := r.from * g.OutW * g.OutC
	r.out = c.out[first:]
	if c.in[1] != nil {
		r.residual = c.in[1][first:]
	}
	return r
}

// whole is embedded in operations that are computed in one piece.
type whole struct{}

func (whole) units() int { return 1 }

// generic is embedded in operations that have but a portable kernel.
type generic struct{}

func (generic) isa() string { return kernel.Generic.String() }

type pointwiseOp struct {
	pixels  int
	product *kernel.GEMM
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

// units are tiles of pixels; the last has what is left over.
func (o *pointwiseOp) units() int { return max(1, o.pixels/o.product.TileRows()) }
func (o *pointwiseOp) run(c chunk) {
	first, end := c.from*o.product.TileRows(), c.to*o.product.TileRows()
	if c.to == o.units() {
		end = o.pixels
	}
	in, out := c.in[0][first*o.product.K:], c.out[first*o.product.N:]
	residual := c.in[1]
	if residual != nil {
		residual = residual[first*o.product.N:]
	}
	o.product.Run(out, in, residual, end-first, c.scratch.work)
}

// convOp is a convolution with one group.
type convOp struct {
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
	r := c.rows(&o.geometry, o.unit())
	o.conv.Rows(r.out, c.in[0], r.residual, r.from, r.to, c.scratch.patches, c.scratch.work)
}

// groupedOp is a convolution with several groups, of several channels each.
type groupedOp struct {
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
	r := c.rows(&o.geometry, 1)
	o.conv.Rows(r.out, c.in[0], r.residual, r.from, r.to, c.scratch.patches, c.scratch.work)
}

type depthwiseOp struct {
	geometry kernel.Geometry
	conv     *kernel.DepthwiseConv
}

func (o *depthwiseOp) kernel() string     { return "depthwise" }
func (o *depthwiseOp) isa() string        { return o.conv.String() }
func (o *depthwiseOp) weightBytes() int   { return o.conv.Bytes() }
func (o *depthwiseOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.conv.Needs()} }
func (o *depthwiseOp) units() int         { return o.geometry.OutH }
func (o *depthwiseOp) run(c chunk) {
	r := c.rows(&o.geometry, 1)
	o.conv.Rows(r.out, c.in[0], r.residual, r.from, r.to, nil, c.scratch.work)
}

type logitsOp struct {
	whole
	product *kernel.GEMM
}

func (o *logitsOp) kernel() string     { return "logits" }
func (o *logitsOp) isa() string        { return o.product.String() }
func (o *logitsOp) weightBytes() int   { return o.product.Bytes() }
func (o *logitsOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.product.Needs()} }
func (o *logitsOp) run(c chunk) {
	o.product.Logits(c.session.buffers.logits, c.in[0], c.scratch.work)
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

type squeezeExciteOp struct {
	whole
	*kernel.SqueezeExcitation
}

func (o *squeezeExciteOp) kernel() string { return "squeeze_excite" }
func (o *squeezeExciteOp) isa() string    { return o.ISA().String() }
func (o *squeezeExciteOp) weightBytes() int {
	return len(o.Reduce) + len(o.Expand) + 4*(len(o.ReduceBias)+len(o.ExpandBias))
}
func (o *squeezeExciteOp) needs() scratchSize {
	channels, squeezed := len(o.ScaleM), len(o.ReduceBias)
	return scratchSize{WorkspaceSize: acc(max(channels, squeezed)), squeeze: channels + kernel.WideStep, inner: squeezed + kernel.WideStep, gate: channels}
}
func (o *squeezeExciteOp) run(c chunk) {
	b := c.session.buffers.squeeze
	b.Sum = c.scratch.work.Acc
	o.Run(c.out, c.in[0], &b, c.scratch.work)
}

type addOp struct {
	generic
	pixels int
	kernel.Add
}

func (o *addOp) kernel() string     { return "add" }
func (o *addOp) weightBytes() int   { return 0 }
func (o *addOp) needs() scratchSize { return scratchSize{} }
func (o *addOp) run(c chunk) {
	n := len(o.A)
	o.Run(c.out[c.from*n:c.to*n], c.in[0][c.from*n:c.to*n], c.in[1][c.from*n:c.to*n])
}
func (o *addOp) units() int { return o.pixels }

type tableOp struct {
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
