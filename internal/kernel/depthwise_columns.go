package kernel

import (
	"fmt"
	"strings"
	"unsafe"
)

// columnsArgs is what a depthwise kernel that works by columns reads:
// columns_args in gen/src/columns.h.
type columnsArgs struct {
	src                 unsafe.Pointer // the image's first column here, channel 0
	pad                 unsafe.Pointer // zero points, as many pixels as a row has
	pitch               int            // bytes from row to row of the image
	height              int            // rows of the image
	ring                int            // row y lies where row y mod ring does
	left, inside, right int            // padded columns: outside of the image, inside, outside
	channels            int            // bytes from pixel to pixel, of outputs too
	top                 int            // row of the image below the first output's first tap
	sy, dy              int            // rows from output to output, from tap to tap
	sx, dx              int            // columns from output to output, from tap to tap
	c                   unsafe.Pointer // the first row's first output, channel 0
	ldc                 int            // bytes from row to row of outputs
	ow, rows            int            // outputs
	w, p                unsafe.Pointer // weights and parameters of the first block
	first, last         int            // channels of the first block and of the last, which may overlap
	blocks              int
	mask                uint64 // channels, where there are less than a block
	scratch, bottom     unsafe.Pointer
	quads               int
	quadStep            int // columns from quad to quad
	quadX, quadLast     int // quads from output to output, and to that with an output's last tap
	mode                int
	_                   [10]uintptr // the kernel's own
}

// columnsTile is a depthwise kernel that takes rows of the image as they are and
// brings each column of taps into place once, as registered. Its tensors have
// the form of its instruction set.
type columnsTile struct {
	isa      ISA
	size     int             // rows and columns of taps
	channels int             // of a block
	masked   bool            // for images with fewer channels than a block, which others are not
	only     int             // the one number of channels it is for, of several pixels in a block; 0 if any
	channel  func(i int) int // which channel is i-th in a block; nil if that is i
	run      func(args *columnsArgs)
}

// columnsPart is the blocks of a convolution that one kernel computes.
type columnsPart struct {
	tile        *columnsTile
	first, last int // channels of the first and the last block
	blocks      int
	mask        uint64 // channels, where there are less than a block
	w           []int8
	p           []int32
	block       int // bytes of weights of one block
	most        int // outputs of a row that one call computes
}

// columnsFor is the kernels of an instruction set for a geometry, the wide before
// the narrow; none if it has no such.
func columnsFor(isa ISA, g *Geometry, e *Epilogue) []*columnsTile {
	var tiles []*columnsTile
	for i := range columnsTiles {
		t := &columnsTiles[i]
		if t.only != 0 && t.only != g.InC {
			continue
		}
		if t.isa == isa && t.size == g.KernelH && t.size == g.KernelW && e.ResidualM == nil && t.masked == (g.InC < t.channels) {
			if t.only != 0 {
				return []*columnsTile{t}
			}
			tiles = append(tiles, t)
		}
	}
	return tiles
}

func columnsName(parts []columnsPart) string {
	var widths []string
	for i := range parts {
		widths = append(widths, fmt.Sprint(parts[i].tile.channels))
	}
	return fmt.Sprintf("%s x%s", parts[0].tile.isa, strings.Join(widths, "+"))
}

// packColumns shares the channels out among tiles, the wide before the narrow,
// and packs the weights. It tells whether there was a tile.
func (d *DepthwiseConv) packColumns(tiles []*columnsTile, weight []int8, bias []int32) bool {
	g := &d.geometry
	for first := 0; first < g.InC && len(tiles) > 0; {
		t, rest := tiles[0], g.InC-first
		if len(tiles) > 1 && rest <= t.channels/2 { // more would be computed twice than once
			tiles = tiles[1:]
			continue
		}
		p := columnsPart{tile: t, first: first, blocks: rest / t.channels, mask: ^uint64(0)}
		if over := rest % t.channels; over > t.channels/2 || over > 0 && len(tiles) == 1 {
			p.blocks++
		}
		if t.masked {
			p.mask >>= 64 - g.InC
		} else { // the last block may overlap the one before, or the part before
			p.last = min(first+(p.blocks-1)*t.channels, g.InC-t.channels)
			p.first = min(first, p.last)
		}
		p.pack(d, weight, bias)
		d.columns = append(d.columns, p)
		first = p.last + t.channels
	}
	for range g.InW {
		if d.columns != nil {
			d.pad = append(d.pad, d.zero...)
		}
	}
	Flip(d.pad, d.pad, d.flip)
	return d.columns != nil
}

// quads says which elements of the bottom row of a 5x5 window are made: one every
// step columns, and that with an output's last tap is last quads after the
// output's own, where the tap is byte tap.
func (g *Geometry) quads() (step, x, last, tap int) {
	if g.StrideW == 2 && g.DilationW <= 2 {
		return 2, 1, 1, 4 - 2/g.DilationW
	}
	return 1, g.StrideW, g.DilationW, 3
}

// pack packs the weights: 32-bit elements, one for each column with its taps from
// the top, of five but four; then the bottom row's first four taps, and its last.
func (p *columnsPart) pack(d *DepthwiseConv, weight []int8, bias []int32) {
	t, g := p.tile, &d.geometry
	n, size := t.channels, t.size
	elements := size
	if size > 4 {
		elements += 2
	}
	_, _, _, tap := g.quads()
	p.block = elements * 4 * n
	p.w, p.p = aligned(p.blocks*p.block), make([]int32, p.blocks*params*n)
	for b := range p.blocks {
		first := min(p.first+b*n, p.last)
		w, params := p.w[b*p.block:], p.p[b*params*n:]
		for i := range n {
			c := first + i
			if t.channel != nil {
				c = first + t.channel(i)
			}
			if c >= g.InC {
				continue
			}
			sum := int32(0)
			for k, v := range weight[c*size*size : (c+1)*size*size] {
				y, x := k/size, k%size
				element, place := x, y
				switch {
				case y == 4 && x == 4:
					element, place = size+1, tap
				case y == 4:
					element, place = size, x
				}
				w[(element*n+i)*4+place] = v
				sum += int32(v)
			}
			params[paramBias*n+i] = bias[c] - int32(uint8(d.flip))*sum // modulo 2^32, as the kernel's sums
			d.epilogue.pack(params, n, i, c)
		}
	}
	p.most = 1
	for p.most < g.OutW && p.sizes(g, p.most+1).bytes <= columnBytes {
		p.most++
	}
	calls := (g.OutW + p.most - 1) / p.most
	p.most = (g.OutW + calls - 1) / calls // all about the same
}

// columnBytes bounds the columns of a call, so that they stay in the first cache
// beside the image's rows.
const columnBytes = 20 << 10

// columnSizes is the layout of the scratch buffer for some outputs of a row.
type columnSizes struct{ columns, quads, bottom, bytes int }

func (p *columnsPart) sizes(g *Geometry, ow int) columnSizes {
	var s columnSizes
	size := p.tile.size
	if p.tile.only != 0 { // a part of a block to a column, the first of which may lie after as much
		s.columns = (ow-1)*g.StrideW + (size-1)*g.DilationW + 1
		s.bytes = 4 * p.tile.only * (s.columns + 1)
		return s
	}
	s.columns = (ow-1)*g.StrideW + (size-1)*g.DilationW + 1
	s.bottom = 4 * p.tile.channels * s.columns
	s.bytes = s.bottom
	if size > 4 {
		step, x, last, _ := g.quads()
		s.quads = (ow-1)*x + last + 1
		s.bottom += 4 * p.tile.channels * s.quads
		// The quads' last bytes may lie beyond the columns; their weights are 0.
		s.bytes = s.bottom + p.tile.channels*max(s.columns, (s.quads-1)*step+3*g.DilationW+1)
	}
	return s
}

// scratch is the bytes of a Workspace that columnRows uses.
func (d *DepthwiseConv) scratch() int {
	n := 0
	for i := range d.columns {
		n = max(n, d.columns[i].sizes(&d.geometry, d.columns[i].most).bytes)
	}
	return n
}

// sumBytes bounds the outputs that are computed before they are added up.
const sumBytes = 16 << 10

// columnRows is Rows.
func (d *DepthwiseConv) columnRows(dst, src []int8, from, to int, sums []int32, w *Workspace) {
	g := &d.geometry
	row := g.OutW * g.OutC
	each := max(1, callWork/(row*g.KernelH*g.KernelW))
	if sums != nil {
		each = min(each, max(1, sumBytes/row))
	}
	for y := from; y < to; y += each {
		rows := min(each, to-y)
		out := dst[(y-from)*row:][:rows*row]
		for i := range d.columns {
			p := &d.columns[i]
			for x := 0; x < g.OutW; x += p.most {
				d.runColumns(p, out, src, y, rows, x, min(p.most, g.OutW-x), w)
			}
		}
		if sums != nil {
			d.summer.Add(sums, out, w)
		}
	}
}

// runColumns computes ow outputs of each of rows rows, from (y, x) on.
func (d *DepthwiseConv) runColumns(p *columnsPart, out, src []int8, y, rows, x, ow int, w *Workspace) {
	g, a, n := &d.geometry, &w.columns, p.tile.channels
	s := p.sizes(g, ow)
	first := x*g.StrideW - g.Left // column of the image
	a.left = min(max(-first, 0), s.columns)
	a.inside = max(min(g.InW, first+s.columns)-max(first, 0), 0)
	a.right = s.columns - a.left - a.inside
	a.src, a.pad = unsafe.Pointer(&src[0]), unsafe.Pointer(&d.pad[0])
	if a.inside > 0 {
		a.src = unsafe.Pointer(&src[max(first, 0)*g.InC])
	}
	a.pitch, a.height, a.ring, a.channels = g.InW*g.InC, g.InH, g.Ring, g.InC
	a.sy, a.dy, a.sx, a.dx = g.StrideH, g.DilationH, g.StrideW, g.DilationW
	a.c, a.ldc, a.ow = unsafe.Pointer(&out[x*g.OutC]), g.OutW*g.OutC, ow
	a.last, a.mask, a.mode = p.last, p.mask, d.mode
	a.scratch, a.bottom = unsafe.Pointer(&w.Bytes[0]), unsafe.Pointer(&w.Bytes[0])
	if s.quads > 0 {
		a.bottom = unsafe.Pointer(&w.Bytes[s.bottom])
		a.quadStep, a.quadX, a.quadLast, _ = g.quads()
		a.quads = s.quads
	}
	blocks := p.blocks
	if rows == 1 {
		blocks = min(blocks, max(1, callWork/(n*ow*g.KernelH*g.KernelW)))
	}
	for b := 0; b < p.blocks; b += blocks {
		a.blocks, a.first = min(blocks, p.blocks-b), min(p.first+b*n, p.last)
		a.w, a.p = unsafe.Pointer(&p.w[b*p.block]), unsafe.Pointer(&p.p[b*params*n])
		a.top, a.rows = y*g.StrideH-g.Top, rows
		p.tile.run(a)
	}
}
