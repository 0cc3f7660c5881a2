package kernel

// Geometry is where a convolution's window lies. Rows and columns outside the
// input hold the input's zero point of each channel.
type Geometry struct {
	InH, InW, InC        int
	OutH, OutW, OutC     int
	KernelH, KernelW     int
	StrideH, StrideW     int
	DilationH, DilationW int
	Top, Left            int // padding above and to the left of the input
	Groups               int
	// Ring is the rows that the input has room for, if that is not all: row y lies
	// where row y mod Ring does. Depthwise convolutions alone have it.
	Ring int
}

// rows is the geometry of rows from to to of the output. Its padding may be
// negative.
func (g *Geometry) rows(from, to int) Geometry {
	part := *g
	part.OutH, part.Top = to-from, g.Top-from*g.StrideH
	return part
}

// PatchLen is the number of inputs to one output: the taps times the channels
// of a group.
func (g *Geometry) PatchLen() int { return g.KernelH * g.KernelW * g.InC / g.Groups }

// Conv is a convolution of any geometry, equations 2 to 5: the inputs to
// TileRows outputs are laid out as rows and multiplied by a matrix. src is
// [InH][InW][InC], dst and residual (if the epilogue has one) are
// [OutH][OutW][OutC], zero is z_x [InC]; groups holds a matrix of OutC/Groups
// outputs and PatchLen inputs for each group; acc holds TileRows*OutC and
// patches TileRows*PatchLen.
//
// Tensors are as the epilogue's instruction set holds them, and so is zero.
func Conv(dst, src, residual, zero []int8, g *Geometry, groups []*Matrix, e *Epilogue, acc []int32, patches []int8) {
	pixels, n := g.OutH*g.OutW, g.PatchLen()
	width := g.OutC / g.Groups
	for p := 0; p < pixels; p += TileRows {
		rows := min(TileRows, pixels-p)
		for i, m := range groups {
			for r := range rows {
				y, x := (p+r)/g.OutW, (p+r)%g.OutW
				g.gather(patches[r*n:(r+1)*n], src, zero, y*g.StrideH-g.Top, x*g.StrideW-g.Left, i)
			}
			if e.flip != 0 {
				Flip(patches[:rows*n], patches[:rows*n], e.flip)
			}
			m.Accumulate(acc[i*width:], g.OutC, patches, n, rows)
		}
		e.applyRows(dst, residual, p, rows, acc)
	}
}

// gather copies the inputs of one group below the window whose first tap is at
// (y, x) into patch: [KernelH][KernelW][InC/Groups].
func (g *Geometry) gather(patch, src, zero []int8, y, x, group int) {
	c := g.InC / g.Groups
	first := group * c
	for i := range g.KernelH {
		row := patch[i*g.KernelW*c : (i+1)*g.KernelW*c]
		sy := y + i*g.DilationH
		inside := sy >= 0 && sy < g.InH
		if inside && g.Groups == 1 && g.DilationW == 1 && x >= 0 && x+g.KernelW <= g.InW {
			copy(row, src[(sy*g.InW+x)*c:])
			continue
		}
		for j := range g.KernelW {
			sx := x + j*g.DilationW
			if inside && sx >= 0 && sx < g.InW {
				copy(row[j*c:(j+1)*c], src[(sy*g.InW+sx)*g.InC+first:])
			} else {
				copy(row[j*c:(j+1)*c], zero[first:])
			}
		}
	}
}
