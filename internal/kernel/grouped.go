package kernel

// GroupedConv is Conv packed for tensors as one instruction set holds them. It
// has but the portable kernel.
type GroupedConv struct {
	geometry Geometry
	zero     []int8 // as the tensors are held
	groups   []*Matrix
	epilogue *Epilogue
}

// PackGroupedConv packs weight [n][taps][channels of a group] and bias [n].
// zero is z_x [channels]. The epilogue's arrays are kept, nothing else is.
func PackGroupedConv(isa ISA, g Geometry, weight []int8, bias []int32, zero []int8, e *Epilogue) *GroupedConv {
	c := &GroupedConv{geometry: g, zero: flipped(zero, isa), epilogue: e.heldFor(isa)}
	width, taps := g.OutC/g.Groups, g.PatchLen()
	for i := range g.Groups {
		first, end := i*width, (i+1)*width
		c.groups = append(c.groups, PackMatrix(weight[first*taps:end*taps], bias[first:end], width, taps))
	}
	return c
}

// Bytes is the size of the packed weights.
func (c *GroupedConv) Bytes() int {
	n := 0
	for _, m := range c.groups {
		n += m.Bytes()
	}
	return n
}

// Needs is what Rows uses of a Workspace, besides patches.
func (c *GroupedConv) Needs() WorkspaceSize { return WorkspaceSize{Acc: TileRows * c.geometry.OutC} }

// PatchBytes is the length of the patches that Rows works in.
func (c *GroupedConv) PatchBytes() int { return TileRows * c.geometry.PatchLen() }

// Rows computes rows from to to of the output: src is the whole input, dst and
// residual (if the epilogue has one) begin with row from. patches holds
// PatchBytes.
func (c *GroupedConv) Rows(dst, src, residual []int8, from, to int, patches []int8, w *Workspace) {
	part := c.geometry.rows(from, to)
	Conv(dst, src, residual, c.zero, &part, c.groups, c.epilogue, w.Acc, patches)
}

// flipped is a copy of a tensor's bytes, as isa holds them.
func flipped(from []int8, isa ISA) []int8 {
	if from == nil {
		return nil
	}
	to := make([]int8, len(from))
	Flip(to, from, isa.Flip())
	return to
}
