package preprocess

// resampler resizes the rows of a source and delivers a window of the result,
// bit-identical to the same window of the whole. Pillow's order: horizontally
// first, rounded and clipped to 8 bits, then vertically.
//
// Rows stream through: each needed source row is read once, resized and kept in
// a ring just long enough for the vertical filter, so memory does not grow with
// the height of the source.
type resampler struct {
	x, y  taps
	plain bool // neither direction mixes pixels: a copy
	row   []byte
	ring  []byte  // y.most rows of width pixels, horizontally resized
	acc   []int32 // one row of sums
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
	r.row = grow(r.row, 3*(r.x.hi-r.x.lo))
	r.ring = grow(r.ring, 3*win.width()*r.y.most)
	r.acc = grow(r.acc, 3*win.width())
}

// run writes the window to dst, whose rows are stride bytes apart.
func (r *resampler) run(dst []byte, stride int, src *source) {
	n := len(r.acc)
	if r.plain {
		for i := range r.y.first {
			src.read(dst[i*stride:][:n], int(r.y.first[i]), r.x.lo)
		}
		return
	}
	next := r.y.lo // the first source row not yet in the ring
	for i := range r.y.first {
		first, count := int(r.y.first[i]), int(r.y.count[i])
		for next = max(next, first); next < first+count; next++ {
			src.read(r.row, next, r.x.lo)
			r.across(r.slot(next, n), r.row)
		}
		out := dst[i*stride:][:n]
		if count == 1 && r.y.coef[i*r.y.stride] == 1<<precision {
			copy(out, r.slot(first, n))
			continue
		}
		r.down(out, first, r.y.coef[i*r.y.stride:][:count])
	}
}

// slot is the place of source row y in the ring.
func (r *resampler) slot(y, n int) []byte {
	return r.ring[y%r.y.most*n:][:n:n]
}

// across resizes one row horizontally. in starts at source column x.lo.
func (r *resampler) across(out, in []byte) {
	const half = 1 << (precision - 1)
	first, count := r.x.first, r.x.count[:len(r.x.first)]
	lo, coef := r.x.lo, r.x.coef
	for i := range first {
		s := in[3*(int(first[i])-lo):]
		k := coef[:count[i]]
		coef = coef[min(r.x.stride, len(coef)):]
		red, green, blue := int32(half), int32(half), int32(half)
		for _, c := range k {
			if len(s) < 3 { // never; it spares the loads their checks
				break
			}
			red += int32(s[0]) * c
			green += int32(s[1]) * c
			blue += int32(s[2]) * c
			s = s[3:]
		}
		o := out[3*i : 3*i+3 : 3*i+3]
		o[0], o[1], o[2] = clip8(red), clip8(green), clip8(blue)
	}
}

// down mixes len(coef) rows of the ring, starting with source row first.
func (r *resampler) down(out []byte, first int, coef []int32) {
	const half = 1 << (precision - 1)
	acc := r.acc[:len(out)]
	for i := range acc {
		acc[i] = half
	}
	for k, c := range coef {
		for i, v := range r.slot(first+k, len(acc)) {
			acc[i] += int32(v) * c
		}
	}
	for i, v := range acc {
		out[i] = clip8(v)
	}
}

// clip8 takes a fixed-point sum to the nearest level of 0 to 255.
func clip8(v int32) byte {
	return byte(min(max(v>>precision, 0), 255))
}
