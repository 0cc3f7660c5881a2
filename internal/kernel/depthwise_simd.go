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
	run      func(args *depthwiseArgs)
	prepare  func(args *gemmArgs) // k bytes from a to c, in the form of input; nil for asIs
}

const maxSize = 5 // of a depthwise kernel

// DepthwiseConv is a depthwise convolution packed for one instruction set.
type DepthwiseConv struct {
	geometry Geometry
	zero     []int8
	epilogue *Epilogue

	tile  *depthwiseTile
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
// bias are not kept; zero and the epilogue are.
func PackDepthwiseConv(isa ISA, g Geometry, weight []int8, bias []int32, zero []int8, e *Epilogue) *DepthwiseConv {
	d := &DepthwiseConv{geometry: g, zero: zero, epilogue: e}
	switch e.Activation {
	case ReLU6:
		d.mode = modeReLU6
	case HardSwish:
		d.mode = modeHardSwish
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

func (t *depthwiseTile) fits(g *Geometry, e *Epilogue) bool {
	return t.size == g.KernelH && t.size == g.KernelW && t.channels <= g.InC && e.ResidualM == nil
}

// ISA is the instruction set whose kernel was chosen.
func (d *DepthwiseConv) ISA() ISA {
	if d.tile == nil {
		return Generic
	}
	return d.tile.isa
}

// String names the instruction set and the channels of a block.
func (d *DepthwiseConv) String() string {
	if d.tile == nil {
		return Generic.String()
	}
	return fmt.Sprintf("%s x%d", d.tile.isa, d.tile.channels)
}

// Bytes is the size of the packed weights.
func (d *DepthwiseConv) Bytes() int { return len(d.w) + 4*len(d.p) + len(d.weight) + 4*len(d.bias) }

// Needs is what Run uses of a Workspace.
func (d *DepthwiseConv) Needs() WorkspaceSize {
	if d.tile == nil {
		return WorkspaceSize{Acc: d.geometry.OutC}
	}
	return WorkspaceSize{Bytes: d.slots * len(d.pad)}
}

func (d *DepthwiseConv) pack(weight []int8, bias []int32) {
	g, t := &d.geometry, d.tile
	if t == nil {
		d.weight, d.bias = PackDepthwise(weight, g.OutC), append([]int32(nil), bias...)
		return
	}
	d.width = (g.OutW-1)*g.StrideW + (g.KernelW-1)*g.DilationW + 1
	d.slots = (g.KernelH-1)*g.DilationH + 1
	row := make([]int8, 0, d.width*g.InC)
	for range d.width {
		row = append(row, d.zero...)
	}
	d.pad = make([]int8, len(row))
	t.prepareRow(d.pad, row, &gemmArgs{})

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
			d.epilogue.pack(p, t.channels, i, c)
		}
	}
}

func (t *depthwiseTile) prepareRow(to, from []int8, g *gemmArgs) {
	if t.prepare == nil {
		copy(to, from)
		return
	}
	g.a, g.c, g.k = unsafe.Pointer(&from[0]), unsafe.Pointer(&to[0]), len(from)
	t.prepare(g)
}

// Run computes the convolution: src is [InH][InW][C], dst and residual (if the
// epilogue has one) are [OutH][OutW][C].
//
// The input's rows are laid into a ring as wide as the padded image, so the
// kernel knows nothing of padding: a row above or below the image is the row of
// zero points, and the pixels at either side of a ring's row stay as they are.
func (d *DepthwiseConv) Run(dst, src, residual []int8, w *Workspace) {
	g, t := &d.geometry, d.tile
	if t == nil {
		Depthwise(dst, src, residual, d.zero, g, d.weight, d.bias, d.epilogue, w.Acc)
		return
	}
	_, _ = dst[:g.OutH*g.OutW*g.OutC], src[:g.InH*g.InW*g.InC]
	row := len(d.pad)
	inside := min(g.InW, d.width-g.Left) // pixels of the image in a row
	ring := w.Bytes[:d.slots*row]
	for s := range d.slots {
		slot := ring[s*row : (s+1)*row]
		if inside <= 0 {
			copy(slot, d.pad)
			continue
		}
		copy(slot[:g.Left*g.InC], d.pad)
		copy(slot[(g.Left+inside)*g.InC:], d.pad)
	}
	next := 0 // row of the image that comes into the ring next
	for y := range g.OutH {
		top := y*g.StrideH - g.Top
		end := min(top+(g.KernelH-1)*g.DilationH+1, g.InH)
		for next = max(next, top); next < end; next++ {
			if inside > 0 {
				slot := ring[next%d.slots*row:]
				t.prepareRow(slot[g.Left*g.InC:], src[next*g.InW*g.InC:][:inside*g.InC], &w.gemm)
			}
		}
		for i := range g.KernelH {
			iy := top + i*g.DilationH
			if iy < 0 || iy >= g.InH {
				w.rows[i] = unsafe.Pointer(&d.pad[0])
			} else {
				w.rows[i] = unsafe.Pointer(&ring[iy%d.slots*row])
			}
		}
		d.row(unsafe.Pointer(&dst[y*g.OutW*g.OutC]), w)
	}
}

// row computes one row of outputs from the rows of w.
func (d *DepthwiseConv) row(dst unsafe.Pointer, w *Workspace) {
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
		a.c = unsafe.Add(dst, x*g.OutC)
		for b := 0; b < total; b += blocks {
			a.blocks = min(blocks, total-b)
			a.first = min(b*t.channels, a.last)
			a.w, a.p = unsafe.Pointer(&d.w[b*d.block]), unsafe.Pointer(&d.p[b*params*t.channels])
			t.run(a)
		}
		if x+pixels >= g.OutW {
			return // before a pointer is moved out of the ring
		}
		for i := range t.size {
			w.rows[i] = unsafe.Add(w.rows[i], a.ow*a.sx)
		}
	}
}
