package kernel

// patchBytes bounds the patches that are laid out at once.
const patchBytes = 24 << 10

// PatchRows is how many patches of g Conv lays out at once.
func (m *GEMM) PatchRows(g *Geometry) int {
	rows := TileRows
	if m.tile != nil {
		rows = max(2*m.tile.rows, patchBytes/g.PatchLen()/m.tile.rows*m.tile.rows)
	}
	return min(rows, g.OutH*g.OutW)
}

// Conv is a convolution with one group, as a product: the inputs to each output
// are laid out as a row. src is [InH][InW][InC], dst and residual (if the
// epilogue has one) are [OutH][OutW][OutC], zero is z_x [InC], patches holds
// PatchRows rows of PatchLen. m was packed for the geometry's outputs as rows.
func (m *GEMM) Conv(dst, src, residual, zero []int8, g *Geometry, patches []int8, w *Workspace) {
	pixels, n, most := g.OutH*g.OutW, g.PatchLen(), m.PatchRows(g)
	for p := 0; p < pixels; {
		rows := most
		if p+rows > pixels {
			p = pixels - rows // some pixels are computed twice
		}
		for r := range rows {
			y, x := (p+r)/g.OutW, (p+r)%g.OutW
			g.gather(patches[r*n:(r+1)*n], src, zero, y*g.StrideH-g.Top, x*g.StrideW-g.Left, 0)
		}
		var from []int8
		if residual != nil {
			from = residual[p*m.N:]
		}
		m.Run(dst[p*m.N:], patches, from, rows, w)
		p += rows
	}
}
