package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// gemmArgs is what a GEMM kernel reads: gemm_args in gen/src/gemm.h. Kernels are
// called through tables, so the struct would be allocated at every call; it
// lives in a Workspace.
type gemmArgs struct {
	a   unsafe.Pointer // rows of inputs, lda bytes apart
	lda int
	b   unsafe.Pointer // packed panel
	p   unsafe.Pointer // parameters of its columns
	c   unsafe.Pointer // outputs, ldc bytes apart
	ldc int
	r   unsafe.Pointer // residual, ldc bytes apart
	m   int            // rows
	k   int            // depth of a segment in steps
	// Segments of the depth lie apart in the inputs, skip bytes from the end of one
	// to the next.
	segments, skip int
	mode           int
	mask           uint64 // columns to store
	// What to bring into the cache, lines of 64 bytes with each tile. It may point
	// anywhere when the kernel returns.
	ahead      uintptr
	aheadLines int
}

// The ends of a kernel, enum mode in gen/src/kernel.h.
const (
	modeIdentity = iota
	modeReLU6
	modeHardSwish
	modeResidual
	modeFloat
)

// Offsets into the parameters of a panel, in units of its width.
const (
	paramBias = iota
	paramMultiplier
	paramZero
	paramBound
	paramResidualM
	paramResidualZero
	params
)

// gemmInput is the form in which a kernel takes its inputs.
type gemmInput int

const (
	asIs      gemmInput = iota // int8
	offset128                  // q + 128, uint8, as all tensors of a plan: ISA.Flip
	widened                    // int16
)

// gemmTile is a GEMM kernel of an instruction set, as registered.
type gemmTile struct {
	isa        ISA
	rows, cols int // outputs computed at once
	group      int // inputs of one column that lie together in a panel
	step       int // K is padded to a multiple of it
	input      gemmInput
	masked     bool                              // it can leave out any of its last 16 columns
	column     func(i int) int                   // which column is i-th in a panel; nil if that is i
	run        func(args *gemmArgs)              // at least rows rows
	row        func(args *gemmArgs)              // any number of rows, slower; nil if there is none
	prepare    func(args *gemmArgs)              // k bytes from a to c, in the form of input; nil if tensors have it
	prepareMin int                               // least k of prepare
	arrange    func(p []int32, cols int) []int32 // a panel's parameters as the kernel takes them; nil if in order
}

// callWork bounds the multiply-accumulates of one call of a kernel: a goroutine
// cannot be stopped inside, and the garbage collector waits for it. It is less
// than 0.1 ms on a Cortex-A53.
const callWork = 1 << 19

// blockBytes bounds the rows of inputs that all panels are multiplied with
// before the next rows are.
const blockBytes = 48 << 10

// GEMM is a matrix of weights packed for one instruction set, with all that
// follows the multiplication: equations 2 to 6.
type GEMM struct {
	K, N     int
	isa      ISA
	name     string
	mode     int
	tile     *gemmTile // the first panel's; all agree on the inputs
	panels   []panel
	bytes    int
	padded   int // a segment's depth up to a multiple of step
	segments int // that K is made of
	block    int // rows

	pairs      *GEMM   // of pairs of rows, if those are multiplied
	matrix     *Matrix // of the portable kernel, if that was chosen
	epilogue   *Epilogue
	multiplier []float32 // of logits
	flip       int8      // of the inputs: ISA.Flip
}

// panel is the columns that one call computes.
type panel struct {
	tile  *gemmTile
	first int
	width int
	b     []int8
	p     []int32
}

// PackGEMM packs weight [n][k] and bias [n] for products of rows rows, with the
// best kernel that the instruction set has for the shape. The weights are not
// kept; the epilogue's arrays are.
func PackGEMM(isa ISA, rows int, weight []int8, bias []int32, n, k int, e *Epilogue) *GEMM {
	m := newGEMM(isa, n, k, e)
	tiles := family(gemmTiles, isa, rows, n)
	if m.unsupported() {
		tiles = nil
	}
	if rows > 1 && narrow(tiles, n) {
		m.packPairs(tiles, weight, bias)
		return m
	}
	m.pack(tiles, weight, bias)
	return m
}

func newGEMM(isa ISA, n, k int, e *Epilogue) *GEMM {
	m := &GEMM{K: k, N: n, epilogue: e.heldFor(isa), flip: isa.Flip()}
	switch {
	case e.ResidualM != nil:
		m.mode = modeResidual
	case e.Activation == ReLU6:
		m.mode = modeReLU6
	case e.Activation == HardSwish:
		m.mode = modeHardSwish
	}
	return m
}

// unsupported tells whether only the portable kernel ends in this way: a
// residual and then a function. No network of ours has it.
func (m *GEMM) unsupported() bool {
	return m.epilogue.ResidualM != nil && (m.epilogue.Activation == ReLU6 || m.epilogue.Activation == HardSwish)
}

// PackLogits packs a fully connected layer with float32 output, equation 6. The
// multipliers are kept.
func PackLogits(isa ISA, weight []int8, bias []int32, n, k int, multiplier []float32) *GEMM {
	m := &GEMM{K: k, N: n, mode: modeFloat, epilogue: &Epilogue{Multiplier: multiplier}, multiplier: multiplier, flip: isa.Flip()}
	m.pack(family(gemmTiles, isa, 1, n), weight, bias)
	return m
}

// ISA is the instruction set whose kernel was chosen.
func (m *GEMM) ISA() ISA { return m.isa }

// String names the instruction set and the tile.
func (m *GEMM) String() string { return m.name }

// Bytes is the size of the packed weights.
func (m *GEMM) Bytes() int { return m.bytes }

// Needs is what Run uses of a Workspace.
func (m *GEMM) Needs() WorkspaceSize {
	switch {
	case m.pairs != nil:
		return m.pairs.Needs()
	case m.matrix != nil && m.flip != 0:
		return WorkspaceSize{Acc: TileRows * m.N, Bytes: TileRows * m.K}
	case m.matrix != nil:
		return WorkspaceSize{Acc: TileRows * m.N}
	case m.tile.prepare == nil && m.padded == m.K:
		return WorkspaceSize{}
	}
	return WorkspaceSize{Bytes: m.block * m.rowBytes()}
}

// rowBytes is the distance of prepared rows.
func (m *GEMM) rowBytes() int {
	if m.tile.input == widened {
		return 2 * m.padded
	}
	return m.padded
}

// family is the tiles of the highest level up to isa that can compute rows by n
// outputs.
func family(tiles []gemmTile, isa ISA, rows, n int) []gemmTile {
	var best []gemmTile
	for i := 0; i < len(tiles); {
		end := i
		for end < len(tiles) && tiles[end].isa == tiles[i].isa {
			end++
		}
		fits := false
		for _, t := range tiles[i:end] {
			fits = fits || (t.masked || t.cols <= n) && (t.row != nil || t.rows <= rows)
		}
		if tiles[i].isa <= isa && fits && (best == nil || tiles[i].isa > best[0].isa) {
			best = tiles[i:end]
		}
		i = end
	}
	return best
}

// pick chooses a tile for the next panel of an n-column matrix, with rest columns
// to come: the narrowest that holds them, or else the widest.
func pick(tiles []gemmTile, n, rest int) *gemmTile {
	var best *gemmTile
	for i := range tiles {
		t := &tiles[i]
		switch {
		case !t.masked && t.cols > n:
		case best == nil,
			t.cols >= rest && (best.cols < rest || t.cols < best.cols),
			t.cols < rest && best.cols < rest && t.cols > best.cols:
			best = t
		}
	}
	return best
}

// pack lays the weights out in panels for tiles, all of one instruction set, or
// for the portable kernel if there are none.
func (m *GEMM) pack(tiles []gemmTile, weight []int8, bias []int32) {
	m.segments = max(1, m.segments)
	if tiles == nil {
		m.matrix = PackMatrix(weight, bias, m.N, m.K)
		m.name, m.bytes = Generic.String(), m.matrix.Bytes()
		return
	}
	for first := 0; first < m.N; {
		t := pick(tiles, m.N, m.N-first)
		width := min(t.cols, m.N-first)
		if width < t.cols && !t.masked {
			width = t.cols // some columns are computed twice
			first = m.N - width
		}
		m.panels = append(m.panels, panel{tile: t, first: first, width: width})
		first += width
	}
	m.tile = m.panels[0].tile
	m.isa = m.tile.isa
	m.name = fmt.Sprintf("%s %dx%d", m.isa, m.tile.rows, m.tile.cols)
	m.padded = pad(m.K/m.segments, m.tile.step)
	m.block = max(2*m.tile.rows, blockBytes/m.rowBytes()/m.tile.rows*m.tile.rows)
	for i := range m.panels {
		m.packPanel(&m.panels[i], weight, bias)
		m.bytes += len(m.panels[i].b) + 4*len(m.panels[i].p)
	}
}

func (m *GEMM) packPanel(p *panel, weight []int8, bias []int32) {
	t := p.tile
	length := m.K / m.segments
	p.b = aligned(m.segments * m.padded * t.cols)
	p.p = make([]int32, params*t.cols)
	for i := range t.cols {
		c := i
		if t.column != nil {
			c = t.column(i)
		}
		if c >= p.width {
			continue
		}
		o := p.first + c
		sum := int32(0)
		row := weight[o*m.K : (o+1)*m.K]
		for segment := range m.segments {
			part := row[segment*length : (segment+1)*length]
			for start := 0; start < length; start += t.group {
				depth := min(t.group, m.padded-start)
				to := p.b[(segment*m.padded+start)*t.cols+i*depth:]
				for k, w := range part[start:min(start+t.group, length)] {
					to[k] = w
					sum += int32(w)
				}
			}
		}
		if t.input == offset128 {
			p.p[paramBias*t.cols+i] = -128 * sum // in arithmetic modulo 2^32, as the kernel's
		}
		p.p[paramBias*t.cols+i] += bias[o]
		m.epilogue.pack(p.p, t.cols, i, o)
	}
	if t.arrange != nil {
		p.p = t.arrange(p.p, t.cols)
	}
}

// pack writes the parameters of channel o to place i of a block for width
// channels.
func (e *Epilogue) pack(p []int32, width, i, o int) {
	bits := func(f []float32, param int) {
		if f != nil {
			p[param*width+i] = int32(math.Float32bits(f[o]))
		}
	}
	zero := func(z []int8, param int) {
		if z != nil {
			p[param*width+i] = int32(z[o])
		}
	}
	bits(e.Multiplier, paramMultiplier)
	held := int32(uint8(e.flip)) // q + 128 has a zero point of 128 more
	zero(e.Zero, paramZero)
	p[paramZero*width+i] += held
	bits(e.Limit, paramBound)
	bits(e.Gain, paramBound)
	bits(e.ResidualM, paramResidualM)
	zero(e.ResidualZero, paramResidualZero)
	p[paramResidualZero*width+i] += held
}

// MinRows is the least number of rows that Run takes, 1 for most.
func (m *GEMM) MinRows() int {
	if m.pairs != nil {
		return 2 * m.pairs.MinRows()
	}
	if m.tile == nil || m.tile.row != nil {
		return 1
	}
	return m.tile.rows
}

// Run is Panels for all of them.
func (m *GEMM) Run(dst, src, residual []int8, rows int, w *Workspace) {
	m.RunPanels(dst, src, residual, rows, 0, m.Panels(), w)
}

// Panels is the number of parts into which the outputs can be divided.
func (m *GEMM) Panels() int { return max(1, len(m.panels)) }

// RunPanels computes the outputs of panels first to end of rows products, MinRows
// or more: src is [rows][K], dst and residual (if the epilogue has one) are
// [rows][N]. The rows may be any part of those it was packed for. Where panels
// overlap, they write the same bytes.
func (m *GEMM) RunPanels(dst, src, residual []int8, rows, first, end int, w *Workspace) {
	if m.matrix != nil {
		m.runPortable(dst, src, residual, rows, w)
		return
	}
	if m.pairs != nil {
		m.runPairs(dst, src, residual, rows, w)
		return
	}
	_, _ = dst[:rows*m.N], src[:rows*m.K]
	if m.mode == modeResidual {
		_ = residual[:rows*m.N]
	}
	for row := 0; row < rows; row += m.block {
		n := min(m.block, rows-row)
		if n < m.tile.rows && m.tile.row == nil {
			n = m.tile.rows // some rows are computed twice
			row = rows - n
		}
		a, lda := m.prepare(src[row*m.K:], n, w)
		m.runBlock(m.panels[first:end], unsafe.Pointer(&dst[row*m.N]), 1, a, lda, residual, row, n, w)
	}
}

func (m *GEMM) runPortable(dst, src, residual []int8, rows int, w *Workspace) {
	if m.flip == 0 {
		Pointwise(dst, src, residual, rows, m.matrix, m.epilogue, w.Acc)
		return
	}
	for first := 0; first < rows; first += TileRows {
		n := min(TileRows, rows-first)
		from := w.Bytes[:n*m.K]
		Flip(from, src[first*m.K:][:n*m.K], m.flip)
		m.matrix.Accumulate(w.Acc, m.N, from, m.K, n)
		m.epilogue.applyRows(dst, residual, first, n, w.Acc)
	}
}

// Logits computes one row with float32 output: src is [K], dst is [N].
func (m *GEMM) Logits(dst []float32, src []int8, w *Workspace) {
	m.LogitsPanels(dst, src, 0, m.Panels(), w)
}

// LogitsPanels computes the outputs of panels first to end of Logits.
func (m *GEMM) LogitsPanels(dst []float32, src []int8, first, end int, w *Workspace) {
	if m.matrix != nil {
		if m.flip != 0 {
			Flip(w.Bytes[:m.K], src[:m.K], m.flip)
			src = w.Bytes
		}
		Logits(dst, src, m.matrix, m.multiplier, w.Acc)
		return
	}
	_ = dst[:m.N]
	a, lda := m.prepare(src, 1, w)
	m.runBlock(m.panels[first:end], unsafe.Pointer(&dst[0]), 4, a, lda, nil, 0, 1, w)
}

// runBlock computes some panels of n rows from row first on: a is their inputs,
// lda bytes apart, dst their outputs, in elements of size bytes.
func (m *GEMM) runBlock(panels []panel, dst unsafe.Pointer, size int, a unsafe.Pointer, lda int, residual []int8, first, n int, w *Workspace) {
	g := &w.gemm
	for i := range panels {
		p := &panels[i]
		t := p.tile
		g.lda, g.ldc, g.mode = lda, size*m.N, m.mode
		g.b, g.p, g.k = unsafe.Pointer(&p.b[0]), unsafe.Pointer(&p.p[0]), m.padded/t.step
		g.mask = ^uint64(0) >> (64 - p.width)
		g.segments = m.segments
		g.aheadLines = 0
		if i+1 < len(panels) && n >= 4*t.rows {
			b := panels[i+1].b
			g.ahead = uintptr(unsafe.Pointer(&b[0]))
			tiles := n / t.rows
			g.aheadLines = (len(b)/64 + tiles - 1) / tiles
		}
		call := max(1, callWork/(m.segments*m.padded*t.cols*t.rows)) * t.rows
		for r := 0; r < n; {
			rows := min(call, n-r)
			run := t.run
			switch {
			case rows < t.rows && t.row == nil:
				r, rows = n-t.rows, t.rows
			case rows < t.rows:
				run = t.row
			case rows%t.rows == 1 && t.row != nil:
				rows--
			}
			g.a, g.m = unsafe.Add(a, r*lda), rows
			g.c = unsafe.Add(dst, size*(r*m.N+p.first))
			if m.mode == modeResidual {
				g.r = unsafe.Pointer(&residual[(first+r)*m.N+p.first])
			} else {
				g.r = g.c // never read; its address is only added to
			}
			run(g)
			r += rows
		}
	}
}

// prepare returns n rows in the form that the kernel takes, and their distance.
func (m *GEMM) prepare(src []int8, n int, w *Workspace) (unsafe.Pointer, int) {
	if m.tile.prepare == nil && m.padded == m.K {
		return unsafe.Pointer(&src[0]), m.K
	}
	stride := m.rowBytes()
	to := w.Bytes[:n*stride]
	if m.padded == m.K { // the rows are one
		m.tile.prepareRow(to, src[:n*m.K], &w.gemm)
	} else {
		// What pads a row is whatever was there: its weights are 0.
		for r := range n {
			m.tile.prepareRow(to[r*stride:], src[r*m.K:(r+1)*m.K], &w.gemm)
		}
	}
	return unsafe.Pointer(&to[0]), stride
}

func (t *gemmTile) prepareRow(to, from []int8, g *gemmArgs) {
	switch {
	case t.prepare == nil:
		copy(to, from)
	case len(from) >= t.prepareMin:
		g.a, g.c, g.k = unsafe.Pointer(&from[0]), unsafe.Pointer(&to[0]), len(from)
		t.prepare(g)
	default: // widened
		for i, v := range from {
			to[2*i], to[2*i+1] = v, v>>7 // little-endian
		}
	}
}

// alignment of panels and workspaces: a cache line and the widest register.
const alignment = 64

// aligned allocates n bytes from such a boundary on.
func aligned(n int) []int8 {
	b := make([]int8, n+alignment-1)
	at := int(-uintptr(unsafe.Pointer(&b[0])) & (alignment - 1))
	return b[at : at+n : at+n]
}

// TileRows is the number of rows that the kernel computes at once; Run is
// fastest with multiples of it.
func (m *GEMM) TileRows() int {
	if m.pairs != nil {
		return 2 * m.pairs.TileRows()
	}
	if m.tile == nil {
		return TileRows
	}
	return m.tile.rows
}
