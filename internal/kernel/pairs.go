package kernel

import "slices"

// A product of few columns fills part of a register, and its end costs as much
// as that of a full one. So two neighbouring rows are made one, of twice as many
// inputs and outputs, which memory need not know of. The multiply-accumulates
// that the zeros in such weights take are those that unused columns took.

// narrow tells whether two rows of n outputs fit the narrowest of tiles.
func narrow(tiles []gemmTile, n int) bool {
	for i := range tiles {
		if !tiles[i].masked || tiles[i].cols < 2*n {
			return false
		}
	}
	return len(tiles) > 0
}

// twice is the epilogue of two pixels.
func (e *Epilogue) twice() *Epilogue {
	d := *e
	for _, f := range []*[]float32{&d.Multiplier, &d.Limit, &d.Gain, &d.ResidualM} {
		*f = slices.Concat(*f, *f)
	}
	for _, z := range []*[]int8{&d.Zero, &d.ResidualZero} {
		*z = slices.Concat(*z, *z)
	}
	return &d
}

// packPairs packs weight [n][k] for pairs of rows.
func (m *GEMM) packPairs(tiles []gemmTile, weight []int8, bias []int32) {
	k := m.K
	both := make([]int8, 4*len(weight))
	for o := range m.N {
		row := weight[o*k : (o+1)*k]
		copy(both[2*o*k:], row)
		copy(both[(2*(m.N+o)+1)*k:], row)
	}
	m.pairs = &GEMM{K: 2 * k, N: 2 * m.N, mode: m.mode, epilogue: m.epilogue.twice(), flip: m.flip}
	m.pairs.pack(tiles, both, slices.Concat(bias, bias))
	m.isa, m.name, m.bytes = m.pairs.isa, m.pairs.name+" by pairs", m.pairs.bytes
}

// runPairs is Run for 2 rows and more.
func (m *GEMM) runPairs(dst, src, residual []int8, rows int, w *Workspace) {
	m.pairs.Run(dst, src, residual, rows/2, w)
	if rows%2 == 0 {
		return
	}
	row := rows - 2 // the one before the last is computed twice
	if residual != nil {
		residual = residual[row*m.N:]
	}
	m.pairs.Run(dst[row*m.N:], src[row*m.K:], residual, 1, w)
}

// pairs is the same convolution with two neighbouring outputs of a row for one,
// whose window is as wide as both of theirs, and its weights.
func (g *Geometry) pairs(weight []int8) (Geometry, []int8) {
	p := *g
	p.OutW, p.OutC = g.OutW/2, 2*g.OutC
	p.KernelW, p.StrideW = g.KernelW+g.StrideW, 2*g.StrideW
	from, to, shift := g.KernelW*g.InC, p.KernelW*g.InC, g.StrideW*g.InC
	both := make([]int8, p.OutC*p.KernelH*to)
	for i := range g.OutC * g.KernelH { // rows of taps
		row := weight[i*from : (i+1)*from]
		copy(both[i*to:], row)
		copy(both[(g.OutC*g.KernelH+i)*to+shift:], row)
	}
	return p, both
}
