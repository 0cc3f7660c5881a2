package kernel

import "unsafe"

// ycbcrTile is what an instruction set has for converting colours, as registered.
type ycbcrTile struct {
	isa ISA
	run [chromaLayouts]func(args *ycbcrArgs)
}

// ycbcrArgs is ycbcr_args in gen/src/ycbcr.h.
type ycbcrArgs struct {
	y, cb, cr unsafe.Pointer
	n         int
	k         unsafe.Pointer
	pack      unsafe.Pointer
	c         unsafe.Pointer
}

const (
	ycbcrBlock  = 16      // pixels that are converted at once; a call has no fewer
	ycbcrPixels = 1 << 14 // of one call: see callWork
)

func ycbcrFor(isa ISA) *ycbcrTile {
	var best *ycbcrTile
	for i := range ycbcrTiles {
		if t := &ycbcrTiles[i]; t.isa <= isa && (best == nil || t.isa > best.isa) {
			best = t
		}
	}
	return best
}

// dropAlpha is the shuffle of four pixels of four bytes to three.
var dropAlpha = dropFourth(nil)

// YCbCrRow converts rows of Y'CbCr to packed RGB, for one instruction set. The
// zero value must be Set.
type YCbCrRow struct {
	tile   *ycbcrTile // nil: the portable one
	layout ChromaLayout
	matrix YCbCr
	k      [8][8]int32
	args   ycbcrArgs
}

// Set prepares for rows of a layout that become RGB as m says.
func (r *YCbCrRow) Set(isa ISA, l ChromaLayout, m YCbCr) {
	r.tile, r.layout = ycbcrFor(isa), l
	if m == r.matrix {
		return
	}
	r.matrix = m
	// The kernels take chroma from 0 on.
	for i, v := range [8]int32{
		m.Y, m.RV, m.GU, m.GV, m.BU,
		m.Bias - 128*m.RV, m.Bias - 128*(m.GU+m.GV), m.Bias - 128*m.BU,
	} {
		for j := range r.k[i] {
			r.k[i][j] = v
		}
	}
}

// ISA is the instruction set whose kernel was chosen.
func (r *YCbCrRow) ISA() ISA {
	if r.tile == nil {
		return Generic
	}
	return r.tile.isa
}

// Run converts len(dst)/3 pixels, of which the first is the first of a pair where
// two share chroma. With NV12, cb holds the pairs and cr is not used; with YUYV, y
// holds everything. A row that ends within a pair needs the pair's chroma all the
// same, but not its second luma: of YUYV it is 4 bytes all the same.
func (r *YCbCrRow) Run(dst, y, cb, cr []byte) {
	n := len(dst) / 3
	if r.tile == nil || n < ycbcrBlock {
		convertRow(dst, r.layout, &r.matrix, y, cb, cr)
		return
	}
	whole := n // a multiple of what shares chroma
	perLuma, perCb := 1, 1
	var plane [3]unsafe.Pointer
	switch r.layout {
	case ChromaFull:
		_, _, _ = y[:n], cb[:n], cr[:n]
		plane = [3]unsafe.Pointer{unsafe.Pointer(&y[0]), unsafe.Pointer(&cb[0]), unsafe.Pointer(&cr[0])}
	case ChromaHalf:
		whole = n &^ 1
		_, _, _ = y[:n], cb[:(n+1)/2], cr[:(n+1)/2]
		plane = [3]unsafe.Pointer{unsafe.Pointer(&y[0]), unsafe.Pointer(&cb[0]), unsafe.Pointer(&cr[0])}
		perCb = 2
	case NV12:
		whole = n &^ 1
		_, _ = y[:n], cb[:(n+1)/2*2]
		plane = [3]unsafe.Pointer{unsafe.Pointer(&y[0]), unsafe.Pointer(&cb[0]), unsafe.Pointer(&cb[0])}
	case YUYV:
		whole = n &^ 1
		_ = y[:(n+1)/2*4]
		plane = [3]unsafe.Pointer{unsafe.Pointer(&y[0]), unsafe.Pointer(&y[0]), unsafe.Pointer(&y[0])}
		perLuma = 2
	}
	g := &r.args
	g.k, g.pack = unsafe.Pointer(&r.k), unsafe.Pointer(&dropAlpha[0])
	for at := 0; at < whole; at += ycbcrPixels {
		g.n = min(ycbcrPixels, whole-at)
		from := at - max(0, ycbcrBlock-g.n) // the last block overlaps
		g.n += at - from
		g.y = unsafe.Add(plane[0], from*perLuma)
		g.cb, g.cr = unsafe.Add(plane[1], from/perCb), unsafe.Add(plane[2], from/perCb)
		g.c = unsafe.Pointer(&dst[3*from])
		r.tile.run[r.layout](g)
	}
	*g = ycbcrArgs{} // not to keep an image alive
	if whole < n {
		switch r.layout {
		case ChromaHalf:
			y, cb, cr = y[whole:], cb[whole/2:], cr[whole/2:]
		case NV12:
			y, cb = y[whole:], cb[whole:]
		case YUYV:
			y = y[2*whole:]
		}
		convertRow(dst[3*whole:3*n], r.layout, &r.matrix, y, cb, cr)
	}
}
