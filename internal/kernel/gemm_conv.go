package kernel

import (
	"slices"
	"unsafe"
)

// bandBytes bounds the rows of the image that are laid out at once, unless one
// row of outputs needs more.
const bandBytes = 32 << 10

// DenseConv is a convolution with one group, packed for one instruction set.
//
// The rows of the image that a few rows of outputs need are laid out as wide as
// the padded image. In them the inputs to an output are a few segments, one for
// each row of taps, and the next output's begin a stride further: so they are a
// matrix for the GEMM kernels, whose rows overlap. Where taps are dilated
// sideways, or where an instruction set has no kernel, patches are gathered.
type DenseConv struct {
	*GEMM
	geometry Geometry
	zero     []int8 // as the tensors are held
	pad      []int8 // a padded row of zero points, as the kernel takes it; nil to gather patches
	size     int    // bytes of an input in it
	stride   int    // bytes from row to row in a band
	band     int    // rows of outputs
}

// PackDenseConv packs weight [n][taps][channels] and bias [n] with the best
// kernel that the instruction set has for the geometry. zero is z_x [channels].
// The epilogue's arrays are kept, nothing else is.
func PackDenseConv(isa ISA, g Geometry, weight []int8, bias []int32, zero []int8, e *Epilogue) *DenseConv {
	c := &DenseConv{geometry: g, zero: flipped(zero, isa)}
	tiles := family(gemmTiles, isa, g.OutW, g.OutC)
	if g.DilationW != 1 || tiles == nil {
		c.GEMM = PackGEMM(isa, g.OutW, weight, bias, g.OutC, g.PatchLen(), e)
		return c
	}
	c.GEMM = newGEMM(isa, g.OutC, g.PatchLen(), e)
	if !c.unsupported() && g.OutW%2 == 0 && g.StrideW <= g.KernelW && narrow(tiles, g.OutC) {
		both, weight := g.pairs(weight)
		return PackDenseConv(isa, both, weight, slices.Concat(bias, bias), zero, e.twice())
	}
	if c.unsupported() {
		tiles = nil
	} else {
		c.segments = g.KernelH
	}
	c.pack(tiles, weight, bias)
	if c.tile == nil {
		return c
	}
	c.size = 1
	if c.tile.input == widened {
		c.size = 2
	}
	width := (g.OutW-1)*g.StrideW + g.KernelW
	row := make([]int8, 0, width*g.InC)
	for range width {
		row = append(row, c.zero...)
	}
	c.pad = make([]int8, c.size*len(row))
	c.tile.prepareRow(c.pad, row, &gemmArgs{})
	// What pads a segment is read past the end of a row; its weights are 0.
	c.stride = pad(len(c.pad)+c.size*c.tile.step, alignment)
	c.band = 1
	for c.band < g.OutH && c.bandRows(c.band+1)*c.stride <= bandBytes {
		c.band++
	}
	return c
}

// bandRows is how many rows of the image n rows of outputs need.
func (c *DenseConv) bandRows(n int) int {
	g := &c.geometry
	return (n-1)*g.StrideH + (g.KernelH-1)*g.DilationH + 1
}

// Needs is what Run uses of a Workspace, besides patches.
func (c *DenseConv) Needs() WorkspaceSize {
	if c.pad == nil {
		return c.GEMM.Needs()
	}
	return WorkspaceSize{Bytes: c.bandRows(c.band) * c.stride}
}

// PatchBytes is the length of the patches that Run works in.
func (c *DenseConv) PatchBytes() int {
	if c.pad != nil {
		return 0
	}
	return c.patchRows() * c.geometry.PatchLen()
}

// patchRows is how many patches are laid out at once.
func (c *DenseConv) patchRows() int {
	g, rows := &c.geometry, c.TileRows()
	if c.matrix == nil {
		rows = max(2*rows, bandBytes/g.PatchLen()/rows*rows)
	}
	return min(rows, g.OutH*g.OutW)
}

// Rows computes rows from to to of the output: src is the whole input,
// [InH][InW][InC], dst and residual (if the epilogue has one) begin with row
// from, [to-from][OutW][OutC], patches holds PatchBytes.
func (c *DenseConv) Rows(dst, src, residual []int8, from, to int, patches []int8, w *Workspace) {
	if c.pad == nil {
		part := c.geometry.rows(from, to)
		c.runPatches(dst, src, residual, &part, patches, w)
		return
	}
	g := &c.geometry
	_, _ = dst[:(to-from)*g.OutW*g.OutC], src[:g.InH*g.InW*g.InC]
	w.gemm.skip = g.DilationH*c.stride - c.padded*c.size
	for y := from; y < to; y += c.band {
		rows := min(c.band, to-y)
		c.layOut(src, y*g.StrideH-g.Top, c.bandRows(rows), w)
		for r := range rows {
			first := (y + r - from) * g.OutW
			c.runBlock(c.panels, unsafe.Pointer(&dst[first*g.OutC]), 1, unsafe.Pointer(&w.Bytes[r*g.StrideH*c.stride]), g.StrideW*g.InC*c.size,
				residual, first, g.OutW, w)
		}
	}
}

// layOut fills the band with n rows of the padded image from row top on.
func (c *DenseConv) layOut(src []int8, top, n int, w *Workspace) {
	g := &c.geometry
	pixel := g.InC * c.size
	inside := min(g.InW, len(c.pad)/pixel-g.Left)
	for i := range n {
		row, y := w.Bytes[i*c.stride:][:len(c.pad)], top+i
		if y < 0 || y >= g.InH || inside <= 0 {
			copy(row, c.pad)
			continue
		}
		copy(row[:g.Left*pixel], c.pad)
		c.tile.prepareRow(row[g.Left*pixel:], src[y*g.InW*g.InC:][:inside*g.InC], &w.gemm)
		copy(row[(g.Left+inside)*pixel:], c.pad)
	}
}

func (c *DenseConv) runPatches(dst, src, residual []int8, g *Geometry, patches []int8, w *Workspace) {
	pixels, n := g.OutH*g.OutW, g.PatchLen()
	most := min(c.patchRows(), pixels)
	for p := 0; p < pixels; {
		rows := most
		if p+rows > pixels {
			p = pixels - rows // some pixels are computed twice
		}
		for r := range rows {
			y, x := (p+r)/g.OutW, (p+r)%g.OutW
			g.gather(patches[r*n:(r+1)*n], src, c.zero, y*g.StrideH-g.Top, x*g.StrideW-g.Left, 0)
		}
		var from []int8
		if residual != nil {
			from = residual[p*g.OutC:]
		}
		c.GEMM.Run(dst[p*g.OutC:], patches, from, rows, w)
		p += rows
	}
}
