package kernel

import (
	"fmt"
	"unsafe"
)

// depthwiseArgs is what a depthwise kernel reads: depthwise_args in
// gen/src/depthwise.h.
type depthwiseArgs struct {
	rows   unsafe.Pointer // a pointer for each row of taps
	dx, sx int            // bytes from tap to tap, and from output to output in the input
	w, p   unsafe.Pointer // weights and parameters of the first block
	c      unsafe.Pointer // outputs
	ldc    int            // bytes from output to output
	ow     int            // outputs
	first  int            // channel of the first block
	last   int            // channel of a row's last block
	blocks int
	mode   int
}

// depthwiseTile is a depthwise kernel of an instruction set, as registered.
type depthwiseTile struct {
	isa      ISA
	size     int  // rows and columns of taps
	channels int  // computed at once
	group    int  // taps of one channel that lie together
	wide     bool // weights are int16
	input    gemmInput
	channel  func(i int) int // which channel is i-th in a block; nil if that is i
	place    func(k int) int // the place of tap k among those of a channel; nil if that is k
	run      func(args *depthwiseArgs)
}

// flip is the form in which the kernel takes and gives tensors.
func (t *depthwiseTile) flip() int8 {
	if t.input == offset128 {
		return -128
	}
	return 0
}

const maxSize = 5 // of a depthwise kernel

// DepthwiseConv is a depthwise convolution packed for one instruction set.
type DepthwiseConv struct {
	geometry Geometry
	zero     []int8
	flip     int8 // of the tensors: ISA.Flip
	epilogue *Epilogue
	summer   Summer

	columns []columnsPart // if the instruction set has such kernels

	tile  *depthwiseTile // otherwise
	mode  int
	w     []int8
	p     []int32
	block int    // bytes of weights of one block
	pad   []int8 // a padded row of zero points, in the form of input
	width int    // pixels of a padded row
	slots int    // rows of the ring

	weight []int8 // of the portable kernel, if that was chosen
	bias   []int32
}

// PackDepthwiseConv packs weight [channels][taps] and bias [channels] with the
// best kernel that the instruction set has. zero is z_x [channels]. Weights and
// bias are not kept; zero and the epilogue's arrays are.
func PackDepthwiseConv(isa ISA, g Geometry, weight []int8, bias []int32, zero []int8, e *Epilogue) *DepthwiseConv {
	d := newDepthwiseConv(isa, g, zero, e)
	if d.packColumns(columnsFor(isa, &g, e), weight, bias) {
		return d
	}
	for i := range depthwiseTiles {
		t := &depthwiseTiles[i]
		if t.fits(&g, e) && t.isa <= isa && (d.tile == nil || t.isa > d.tile.isa) {
			d.tile = t
		}
	}
	d.pack(weight, bias)
	return d
}

func newDepthwiseConv(isa ISA, g Geometry, zero []int8, e *Epilogue) *DepthwiseConv {
	d := &DepthwiseConv{
		geometry: g, zero: zero, flip: isa.Flip(), epilogue: e.heldFor(isa), summer: NewSummer(isa, zero),
	}
	if d.geometry.Ring == 0 {
		d.geometry.Ring = g.InH
	}
	switch e.Activation {
	case ReLU6:
		d.mode = modeReLU6
	case HardSwish:
		d.mode = modeHardSwish
	}
	return d
}

func (t *depthwiseTile) fits(g *Geometry, e *Epilogue) bool {
	return t.size == g.KernelH && t.size == g.KernelW && t.channels <= g.InC && e.ResidualM == nil
}

// ISA is the instruction set whose kernel was chosen.
func (d *DepthwiseConv) ISA() ISA {
	switch {
	case d.columns != nil:
		return d.columns[0].tile.isa
	case d.tile != nil:
		return d.tile.isa
	}
	return Generic
}

// String names the instruction set and the channels of a block.
func (d *DepthwiseConv) String() string {
	switch {
	case d.columns != nil:
		return columnsName(d.columns)
	case d.tile == nil:
		return Generic.String()
	}
	return fmt.Sprintf("%s x%d", d.tile.isa, d.tile.channels)
}

// Bytes is the size of the packed weights.
func (d *DepthwiseConv) Bytes() int {
	n := len(d.w) + 4*len(d.p) + len(d.weight) + 4*len(d.bias)
	for i := range d.columns {
		n += len(d.columns[i].w) + 4*len(d.columns[i].p)
	}
	return n
}

// Needs is what Rows uses of a Workspace.
func (d *DepthwiseConv) Needs() WorkspaceSize {
	switch {
	case d.columns != nil:
		return WorkspaceSize{Bytes: d.scratch()}
	case d.tile != nil:
		return WorkspaceSize{Bytes: d.slots * len(d.pad)}
	case d.flip != 0:
		return WorkspaceSize{Acc: d.geometry.OutC, Bytes: d.window() * d.geometry.InW * d.geometry.InC}
	}
	return WorkspaceSize{Acc: d.geometry.OutC}
}

// window is the rows of the input that a row of outputs depends on.
func (d *DepthwiseConv) window() int { return (d.geometry.KernelH-1)*d.geometry.DilationH + 1 }

func (d *DepthwiseConv) pack(weight []int8, bias []int32) {
	g, t := &d.geometry, d.tile
	if t == nil {
		d.weight, d.bias = PackDepthwise(weight, g.OutC), append([]int32(nil), bias...)
		return
	}
	d.width = (g.OutW-1)*g.StrideW + (g.KernelW-1)*g.DilationW + 1
	d.slots = d.window()
	for range d.width {
		d.pad = append(d.pad, d.zero...)
	}
	Flip(d.pad, d.pad, t.flip())
	e := *d.epilogue
	e.flip = t.flip()

	taps := t.size * t.size
	size := 1
	if t.wide {
		size = 2
	}
	blocks := (g.InC + t.channels - 1) / t.channels
	d.block = (taps + t.group - 1) / t.group * t.group * t.channels * size
	d.w, d.p = aligned(blocks*d.block), make([]int32, blocks*params*t.channels)
	for b := range blocks {
		first := min(b*t.channels, g.InC-t.channels) // the last block overlaps
		w, p := d.w[b*d.block:], d.p[b*params*t.channels:]
		for i := range t.channels {
			c := first + i
			if t.channel != nil {
				c = first + t.channel(i)
			}
			sum := int32(0)
			for k, v := range weight[c*taps : (c+1)*taps] {
				if t.place != nil {
					k = t.place(k)
				}
				at := size * ((k/t.group*t.channels+i)*t.group + k%t.group)
				w[at] = v
				if t.wide {
					w[at+1] = v >> 7
				}
				sum += int32(v)
			}
			p[paramBias*t.channels+i] = bias[c]
			if t.input == offset128 {
				p[paramBias*t.channels+i] -= 128 * sum // modulo 2^32, as the kernel's sums
			}
			e.pack(p, t.channels, i, c)
		}
	}
}

// Run is Rows for all rows.
func (d *DepthwiseConv) Run(dst, src, residual []int8, w *Workspace) {
	d.Rows(dst, src, residual, 0, d.geometry.OutH, nil, w)
}

// Rows computes rows from to to of the output: src is [InH][InW][C], or
// [Ring][InW][C] with at least the rows of the image that those depend on; dst
// and residual (if the epilogue has one) begin with row from, [to-from][OutW][C].
//
// If sums is not nil, it is [C], and the outputs are added up in it while they
// are in cache: sums[c] += sum over pixels of q_y[c], the int8 values.
func (d *DepthwiseConv) Rows(dst, src, residual []int8, from, to int, sums []int32, w *Workspace) {
	g := &d.geometry
	row := g.OutW * g.OutC
	_, _ = dst[:(to-from)*row], src[:min(g.Ring, g.InH)*g.InW*g.InC]
	if d.columns != nil {
		d.columnRows(dst, src, from, to, sums, w)
		return
	}
	if d.tile != nil {
		d.layEdges(w)
	}
	next := from*g.StrideH - g.Top // row of the image that comes into the ring next
	for y := from; y < to; y++ {
		out := dst[(y-from)*row:][:row]
		if d.tile == nil {
			var r []int8
			if residual != nil {
				r = residual[(y-from)*row:][:row]
			}
			d.rowPortable(out, src, r, y, w)
		} else {
			next = d.layRows(src, y, next, w)
			d.row(out, w)
		}
		if sums != nil {
			d.summer.Add(sums, out, w)
		}
	}
}

// rowPortable computes row y with the portable kernel.
func (d *DepthwiseConv) rowPortable(dst, src, residual []int8, y int, w *Workspace) {
	part := d.geometry.rows(y, y+1)
	if d.flip == 0 {
		Depthwise(dst, src, residual, d.zero, &part, d.weight, d.bias, d.epilogue, w.Acc)
		return
	}
	// The rows that it depends on become an image of their own.
	top, row := -part.Top, part.InW*part.InC
	first, end := max(top, 0), min(top+d.window(), part.InH)
	for i := first; i < end; i++ {
		Flip(w.Bytes[(i-first)*row:], src[i%part.Ring*row:][:row], d.flip)
	}
	part.Top, part.InH, part.Ring = first-top, max(end-first, 0), 0
	Depthwise(dst, w.Bytes, residual, d.zero, &part, d.weight, d.bias, d.epilogue, w.Acc)
}

// The input's rows are laid into a ring as wide as the padded image, so a kernel
// knows nothing of padding: a row above or below the image is the row of zero
// points, and the pixels at either side of a ring's row stay as layEdges leaves
// them.
func (d *DepthwiseConv) layEdges(w *Workspace) {
	g, row, inside := &d.geometry, len(d.pad), d.inside()
	for s := range d.slots {
		slot := w.Bytes[s*row : (s+1)*row]
		if inside <= 0 {
			copy(slot, d.pad)
			continue
		}
		copy(slot[:g.Left*g.InC], d.pad)
		copy(slot[(g.Left+inside)*g.InC:], d.pad)
	}
}

// inside is the pixels of the image in a padded row.
func (d *DepthwiseConv) inside() int { return min(d.geometry.InW, d.width-d.geometry.Left) }

// layRows brings what row y of the output depends on into the ring, from row
// next of the image on, and points at it. It returns the next to come.
func (d *DepthwiseConv) layRows(src []int8, y, next int, w *Workspace) int {
	g, row, inside := &d.geometry, len(d.pad), d.inside()
	top := y*g.StrideH - g.Top
	end := min(top+d.window(), g.InH)
	for next = max(next, top, 0); next < end; next++ {
		if inside > 0 {
			slot := w.Bytes[next%d.slots*row:]
			Flip(slot[g.Left*g.InC:], src[next%g.Ring*g.InW*g.InC:][:inside*g.InC], d.flip^d.tile.flip())
		}
	}
	for i := range g.KernelH {
		iy := top + i*g.DilationH
		if iy < 0 || iy >= g.InH {
			w.rows[i] = unsafe.Pointer(&d.pad[0])
		} else {
			w.rows[i] = unsafe.Pointer(&w.Bytes[iy%d.slots*row])
		}
	}
	return next
}

// row computes one row of outputs from the rows of w.
func (d *DepthwiseConv) row(dst []int8, w *Workspace) {
	g, t, a := &d.geometry, d.tile, &w.depthwise
	a.rows = unsafe.Pointer(&w.rows)
	a.dx, a.sx, a.ldc = g.DilationW*g.InC, g.StrideW*g.InC, g.OutC
	a.last, a.mode = g.InC-t.channels, d.mode
	work := t.channels * t.size * t.size
	pixels := max(1, min(g.OutW, callWork/work))
	blocks := max(1, callWork/(work*pixels))
	total := len(d.w) / d.block
	for x := 0; x < g.OutW; x += pixels {
		a.ow = min(pixels, g.OutW-x)
		a.c = unsafe.Pointer(&dst[x*g.OutC])
		for b := 0; b < total; b += blocks {
			a.blocks = min(blocks, total-b)
			a.first = min(b*t.channels, a.last)
			a.w, a.p = unsafe.Pointer(&d.w[b*d.block]), unsafe.Pointer(&d.p[b*params*t.channels])
			t.run(a)
		}
		if x+pixels >= g.OutW {
			break // before a pointer is moved out of the ring
		}
		for i := range t.size {
			w.rows[i] = unsafe.Add(w.rows[i], a.ow*a.sx)
		}
	}
	if f := d.flip ^ t.flip(); f != 0 {
		Flip(dst, dst, f)
	}
}
