package preprocess

import "github.com/seedge/seedge/internal/kernel"

// resampler resizes the rows of a source and delivers a window of the result,
// bit-identical to the same window of the whole. Pillow's order: horizontally
// first, rounded and clipped to 8 bits, then vertically.
//
// Rows stream through: each needed source row is read once, resized and kept in
// a ring just long enough for the vertical filter, so memory does not grow with
// the height of the source. They are resized two at a time, so the ring has one
// row more than the filter needs.
type resampler struct {
	isa    kernel.ISA
	x, y   taps
	plain  bool          // neither direction mixes pixels: a copy
	width  int           // bytes of a row of the window
	from   kernel.Pixels // what across was set for
	across kernel.RowResizer
	down   kernel.RowMixer
	rows   [2][]byte // as read from a source that cannot be taken as it lies
	ring   [][]byte  // horizontally resized
	mixed  [][]byte  // those of the ring that down mixes
}

// window is a rectangle of the resized image: x0 <= x < x1, y0 <= y < y1.
type window struct{ x0, y0, x1, y1 int }

func (w window) width() int { return w.x1 - w.x0 }

// set prepares to resize srcW x srcH pixels to dstW x dstH and deliver win of
// that, which must not be empty.
func (r *resampler) set(srcW, srcH, dstW, dstH int, win window, f filter) {
	r.x.set(srcW, dstW, win.x0, win.x1, f)
	r.y.set(srcH, dstH, win.y0, win.y1, f)
	r.plain = r.x.most == 1 && r.y.most == 1 && srcW == dstW && srcH == dstH
	r.width = 3 * win.width()
	r.from = kernel.Pixels{} // across depends on the taps
	r.down.Set(r.isa, r.y.most, r.width)
	r.ring = grow(r.ring, r.y.most+1)
	r.mixed = grow(r.mixed, r.y.most)
}

// layout prepares for a source's pixels.
func (r *resampler) layout(from kernel.Pixels) {
	if from == r.from {
		return
	}
	r.from = from
	t := kernel.Taps{First: r.x.first, Count: r.x.count, Coef: r.x.coef, Stride: r.x.stride}
	r.across.Set(r.isa, t, r.x.lo, from)
	for i := range r.ring {
		r.ring[i] = grow(r.ring[i], r.across.Room())
	}
	for i := range r.rows {
		// A kernel may read beyond the pixels, but not past the slice.
		r.rows[i] = grow(r.rows[i], max(r.across.Reach(), from.Size*(r.x.hi-r.x.lo)))
	}
}

// run writes the window to dst, whose rows are stride bytes apart.
func (r *resampler) run(dst []byte, stride int, src *source) {
	if r.plain {
		for i := range r.y.first {
			src.read(dst[i*stride:][:r.width], int(r.y.first[i]), r.x.lo)
		}
		return
	}
	r.layout(src.pixels())
	next := r.y.lo // the first source row not yet in the ring
	for i := range r.y.first {
		first, count := int(r.y.first[i]), int(r.y.count[i])
		for next = max(next, first); next < first+count; next += 2 {
			other := min(next+1, r.y.hi-1) // twice the last one where the number is odd
			r.across.Run(r.slot(next), r.slot(other), r.row(src, next, 0), r.row(src, other, other-next))
		}
		out := dst[i*stride:][:r.width]
		if count == 1 && r.y.coef[i*r.y.stride] == 1<<precision {
			copy(out, r.slot(first))
			continue
		}
		for k := range count {
			r.mixed[k] = r.slot(first + k)
		}
		r.down.Run(out, r.mixed[:count], r.y.coef[i*r.y.stride:][:count])
	}
}

// row is source row y from column x.lo on, for across: as it lies where there are
// bytes enough, or else copied to rows[i].
func (r *resampler) row(src *source, y, i int) []byte {
	if in := src.direct(y, r.x.lo); len(in) >= r.across.Reach() {
		return in
	}
	src.readAs(r.rows[i][:r.from.Size*(r.x.hi-r.x.lo)], y, r.x.lo)
	return r.rows[i]
}

// slot is the place of source row y in the ring.
func (r *resampler) slot(y int) []byte { return r.ring[y%len(r.ring)] }
