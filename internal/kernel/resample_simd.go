package kernel

import "unsafe"

// resampleTile is what an instruction set has for resizing, as registered.
type resampleTile struct {
	isa    ISA
	across func(args *acrossArgs)
	mix    func(args *mixArgs)
	block  int // bytes that mix works on at once; rows have no fewer
	// shuffle appends the vectors that take four pixels to what across
	// multiplies, and coef the coefficients of four taps to how it reads them.
	shuffle func(to []byte, from Pixels) []byte
	coef    func(to []int32, four [4]int32) []int32
	pair    func(to []int32, a, b int32) []int32 // coefficients of two rows of mix
}

// acrossArgs is across_args in gen/src/resample.h.
type acrossArgs struct {
	a, b    unsafe.Pointer
	groups  int
	offset  unsafe.Pointer
	coef    unsafe.Pointer
	chunks  int
	step    int
	shuffle unsafe.Pointer
	c, d    unsafe.Pointer
}

// mixArgs is mix_args in gen/src/resample.h.
type mixArgs struct {
	rows  unsafe.Pointer
	coef  unsafe.Pointer
	pairs int
	bytes int
	c     unsafe.Pointer
}

const (
	vector    = 16      // bytes that are read at a time
	group     = 4       // outputs that are made at a time
	callTaps  = 1 << 14 // products of one call: see callWork
	callBytes = 1 << 17
)

func resampleFor(isa ISA) *resampleTile {
	var best *resampleTile
	for i := range resampleTiles {
		if t := &resampleTiles[i]; t.isa <= isa && (best == nil || t.isa > best.isa) {
			best = t
		}
	}
	return best
}

// RowResizer resizes rows, two at a time, for one instruction set. The zero value
// must be Set.
type RowResizer struct {
	tile   *resampleTile // nil: the portable one
	taps   Taps
	lo     int
	from   Pixels
	offset []int32
	coef   []int32
	chunks int
	mask   []byte
	reach  int
	args   acrossArgs
}

// Set prepares for rows that hold pixels as from says and start at pixel lo of
// the axis. It keeps t's slices.
func (r *RowResizer) Set(isa ISA, t Taps, lo int, from Pixels) {
	r.tile, r.taps, r.lo, r.from = resampleFor(isa), t, lo, from
	if group*from.Size > vector {
		r.tile = nil
	}
	most, far := 1, 0
	for i, n := range t.Count {
		most = max(most, int(n))
		far = max(far, int(t.First[i])+int(n))
	}
	r.chunks = (most + group - 1) / group
	if r.tile == nil || r.chunks > callTaps {
		r.tile, r.reach = nil, from.Size*(far-lo)
		return
	}
	r.mask = r.tile.shuffle(r.mask[:0], from)
	r.offset, r.coef, r.reach = r.offset[:0], r.coef[:0], 0
	for i := range (len(t.First) + group - 1) / group * group {
		var coef []int32 // none for what only fills the last group
		first := t.First[min(i, len(t.First)-1)]
		if i < len(t.First) {
			coef = t.Coef[i*t.Stride:][:t.Count[i]]
		}
		offset := from.Size * (int(first) - lo)
		r.offset = append(r.offset, int32(offset))
		r.reach = max(r.reach, offset+(r.chunks-1)*group*from.Size+vector)
		for range r.chunks {
			var four [group]int32
			coef = coef[copy(four[:], coef):]
			r.coef = r.tile.coef(r.coef, four)
		}
	}
}

// ISA is the instruction set whose kernel was chosen.
func (r *RowResizer) ISA() ISA {
	if r.tile == nil {
		return Generic
	}
	return r.tile.isa
}

// Reach is how many bytes of a row may be read. What lies beyond the pixels that
// the taps name has no influence.
func (r *RowResizer) Reach() int { return r.reach }

// Room is how many bytes of a result may be written: 3 for every output, and some
// more.
func (r *RowResizer) Room() int {
	return (len(r.taps.First)+group-1)/group*group*3 + vector - 3*group
}

// Run resizes two rows a and b of at least Reach bytes to packed RGB in c and d,
// of at least Room bytes. b and d may be a and c: then it is one row.
func (r *RowResizer) Run(c, d, a, b []byte) {
	if r.tile == nil {
		resizeRow(c, a, r.lo, &r.taps, r.from)
		if &d[0] != &c[0] {
			resizeRow(d, b, r.lo, &r.taps, r.from)
		}
		return
	}
	_, _, _, _ = a[:r.reach], b[:r.reach], c[:r.Room()], d[:r.Room()]
	g := &r.args
	g.a, g.b = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0])
	g.chunks, g.step, g.shuffle = r.chunks, group*r.from.Size, unsafe.Pointer(&r.mask[0])
	groups := len(r.offset) / group
	each := max(1, callTaps/(group*r.chunks))
	for i := 0; i < groups; i += each {
		g.groups = min(each, groups-i)
		g.offset, g.coef = unsafe.Pointer(&r.offset[i*group]), unsafe.Pointer(&r.coef[i*group*r.chunks*group])
		g.c, g.d = unsafe.Pointer(&c[3*group*i]), unsafe.Pointer(&d[3*group*i])
		r.tile.across(g)
	}
	g.a, g.b, g.c, g.d = nil, nil, nil, nil // not to keep an image alive
}

// RowMixer mixes rows, for one instruction set. The zero value must be Set.
type RowMixer struct {
	tile  *resampleTile
	acc   []int32
	start []unsafe.Pointer
	coef  []int32
	args  mixArgs
}

// Set prepares for at most most rows of n bytes.
func (m *RowMixer) Set(isa ISA, most, n int) {
	m.tile = resampleFor(isa)
	if m.tile != nil && (n < m.tile.block || most > callTaps) {
		m.tile = nil
	}
	if m.tile == nil {
		if cap(m.acc) < n {
			m.acc = make([]int32, n)
		}
		return
	}
	if cap(m.start) < most+1 {
		m.start = make([]unsafe.Pointer, 0, most+1)
		m.coef = make([]int32, 0, most+1)
	}
}

// ISA is the instruction set whose kernel was chosen.
func (m *RowMixer) ISA() ISA {
	if m.tile == nil {
		return Generic
	}
	return m.tile.isa
}

// Run computes out[j] = clip8((sum_k coef[k] * rows[k][j] + half) >> 22). out has
// as many bytes as Set was told; rows have as many or more.
func (m *RowMixer) Run(out []byte, rows [][]byte, coef []int32) {
	if m.tile == nil {
		mixRows(out, rows, coef, m.acc[:len(out)])
		return
	}
	m.start, m.coef = m.start[:0], m.coef[:0]
	for k := 0; k < len(coef); k += 2 {
		a, b, second := rows[k], rows[k], int32(0) // an odd last one counts once
		if k+1 < len(coef) {
			b, second = rows[k+1], coef[k+1]
		}
		_, _ = a[:len(out)], b[:len(out)]
		m.start = append(m.start, unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]))
		m.coef = m.tile.pair(m.coef, coef[k], second)
	}
	g := &m.args
	g.rows, g.coef, g.pairs = unsafe.Pointer(&m.start[0]), unsafe.Pointer(&m.coef[0]), len(m.start)/2
	each := max(m.tile.block, callBytes/len(m.start)/m.tile.block*m.tile.block)
	for at := 0; at < len(out); at += each {
		n := min(each, len(out)-at)
		back := max(0, m.tile.block-n) // the last block overlaps
		if at > 0 {
			for i := range m.start {
				m.start[i] = unsafe.Add(m.start[i], each-back)
			}
		}
		g.c, g.bytes = unsafe.Pointer(&out[at-back]), n+back
		m.tile.mix(g)
	}
	g.c = nil
	clear(m.start) // not to keep an image alive
}

// zeroByte in a shuffle gives 0.
const zeroByte = 0x80

func dropFourth(to []byte) []byte {
	return append(to, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, zeroByte, zeroByte, zeroByte, zeroByte)
}
