package engine

import "github.com/seedge/seedge/internal/kernel"

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
func (o *pointwiseOp) run(b *buffers, in [2][]int8, out []int8) {
	o.product.Run(out, in[0], in[1], o.pixels, b.work)
}

// convOp is a convolution with one group.
type convOp struct {
	rows int // of the output
	conv *kernel.DenseConv
}

func (o *convOp) kernel() string   { return "conv" }
func (o *convOp) isa() string      { return o.conv.String() }
func (o *convOp) weightBytes() int { return o.conv.Bytes() }
func (o *convOp) needs() scratchSize {
	return scratchSize{WorkspaceSize: o.conv.Needs(), patches: o.conv.PatchBytes()}
}
func (o *convOp) run(b *buffers, in [2][]int8, out []int8) {
	o.conv.Rows(out, in[0], in[1], 0, o.rows, b.patches, b.work)
}

// groupedOp is a convolution with several groups, of several channels each.
type groupedOp struct {
	generic
	rows int // of the output
	conv *kernel.GroupedConv
}

func (o *groupedOp) kernel() string   { return "grouped" }
func (o *groupedOp) weightBytes() int { return o.conv.Bytes() }
func (o *groupedOp) needs() scratchSize {
	return scratchSize{WorkspaceSize: o.conv.Needs(), patches: o.conv.PatchBytes()}
}
func (o *groupedOp) run(b *buffers, in [2][]int8, out []int8) {
	o.conv.Rows(out, in[0], in[1], 0, o.rows, b.patches, b.work)
}

type depthwiseOp struct {
	rows int // of the output
	conv *kernel.DepthwiseConv
}

func (o *depthwiseOp) kernel() string     { return "depthwise" }
func (o *depthwiseOp) isa() string        { return o.conv.String() }
func (o *depthwiseOp) weightBytes() int   { return o.conv.Bytes() }
func (o *depthwiseOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.conv.Needs()} }
func (o *depthwiseOp) run(b *buffers, in [2][]int8, out []int8) {
	o.conv.Rows(out, in[0], in[1], 0, o.rows, nil, b.work)
}

type logitsOp struct{ product *kernel.GEMM }

func (o *logitsOp) kernel() string     { return "logits" }
func (o *logitsOp) isa() string        { return o.product.String() }
func (o *logitsOp) weightBytes() int   { return o.product.Bytes() }
func (o *logitsOp) needs() scratchSize { return scratchSize{WorkspaceSize: o.product.Needs()} }
func (o *logitsOp) run(b *buffers, in [2][]int8, _ []int8) {
	o.product.Logits(b.logits, in[0], b.work)
}

type poolOp struct {
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
func (o *poolOp) run(b *buffers, in [2][]int8, out []int8) {
	sum := b.work.Acc[:len(o.multiplier)]
	o.summer.Run(sum, in[0], b.work)
	kernel.Pool(out, sum, o.multiplier, o.outZero, o.flip)
	if o.embedding != nil {
		kernel.Scale(b.features, sum, o.embedding)
	}
}

type squeezeExciteOp struct{ *kernel.SqueezeExcitation }

func (o *squeezeExciteOp) kernel() string { return "squeeze_excite" }
func (o *squeezeExciteOp) isa() string    { return o.ISA().String() }
func (o *squeezeExciteOp) weightBytes() int {
	return len(o.Reduce) + len(o.Expand) + 4*(len(o.ReduceBias)+len(o.ExpandBias))
}
func (o *squeezeExciteOp) needs() scratchSize {
	channels, squeezed := len(o.ScaleM), len(o.ReduceBias)
	return scratchSize{WorkspaceSize: acc(max(channels, squeezed)), squeeze: channels + kernel.WideStep, inner: squeezed + kernel.WideStep, gate: channels}
}
func (o *squeezeExciteOp) run(b *buffers, in [2][]int8, out []int8) {
	o.Run(out, in[0], &b.squeeze, b.work)
}

type addOp struct {
	generic
	kernel.Add
}

func (o *addOp) kernel() string                           { return "add" }
func (o *addOp) weightBytes() int                         { return 0 }
func (o *addOp) needs() scratchSize                       { return scratchSize{} }
func (o *addOp) run(_ *buffers, in [2][]int8, out []int8) { o.Run(out, in[0], in[1]) }

type tableOp struct {
	generic
	table    []int8
	channels int
}

func (o *tableOp) kernel() string     { return "table" }
func (o *tableOp) weightBytes() int   { return len(o.table) }
func (o *tableOp) needs() scratchSize { return scratchSize{} }
func (o *tableOp) run(_ *buffers, in [2][]int8, out []int8) {
	kernel.Table(out, in[0], o.table, o.channels)
}

func acc(n int) kernel.WorkspaceSize { return kernel.WorkspaceSize{Acc: n} }
