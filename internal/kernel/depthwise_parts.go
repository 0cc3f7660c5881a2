package kernel

// Parts is the number of parts into which the channels can be divided.
func (d *DepthwiseConv) Parts() int {
	n := 0
	for i := range d.columns {
		n += d.columns[i].blocks
	}
	return max(1, n)
}

// RunParts computes parts first to end of the channels of all pixels: src is
// [InH][InW][C], dst and residual (if the epilogue has one) are [OutH][OutW][C].
// Where parts overlap, they write the same bytes.
func (d *DepthwiseConv) RunParts(dst, src, residual []int8, first, end int, w *Workspace) {
	if d.columns == nil {
		d.Run(dst, src, residual, w)
		return
	}
	g, at := &d.geometry, 0
	_, _ = dst[:g.OutH*g.OutW*g.OutC], src[:g.InH*g.InW*g.InC]
	for i := range d.columns {
		part := d.columns[i]
		from, to := max(first-at, 0), min(end-at, part.blocks)
		at += part.blocks
		if from >= to {
			continue
		}
		n := part.tile.channels
		part.first, part.blocks = min(part.first+from*n, part.last), to-from
		part.w, part.p = part.w[from*part.block:], part.p[from*params*n:]
		each := max(1, callWork/(g.OutW*(to-from)*n*g.KernelH*g.KernelW))
		for y := 0; y < g.OutH; y += each {
			rows := min(each, g.OutH-y)
			for x := 0; x < g.OutW; x += part.most {
				d.runColumns(&part, dst[y*g.OutW*g.OutC:], src, y, rows, x, min(part.most, g.OutW-x), w)
			}
		}
	}
}
