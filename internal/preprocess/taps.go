package preprocess

// precision is the number of fractional bits of a coefficient. With 22 of them
// a sum of 8-bit pixels times coefficients (which add up to 1, and to at most
// about 1.3 in absolute value for the cubic) fits 32 bits, sign included.
const precision = 32 - 8 - 2

// taps says for each of n neighbouring output positions along one axis which
// inputs it is made of:
//
//	out[i] = clip8((sum_k coef[i*stride+k] * in[first[i]+k] + half) >> precision), k < count[i]
type taps struct {
	first, count []int32
	coef         []int32
	stride       int // coefficients reserved per output; at least max(count)

	lo, hi int // the inputs used by any of the outputs: lo <= i < hi
	most   int // max(count)

	weights []float64 // scratch
	origin  []int32   // scratch: first before trimming
}

// set computes the taps for the outputs from <= i < to of an axis that is resized
// from in to out pixels. The arithmetic is Pillow's: double precision weights,
// normalised, then rounded half away from zero to fixed point. first and
// first+count never decrease from one output to the next.
func (t *taps) set(in, out, from, to int, f filter) {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1) // reducing widens the filter: antialiasing
	support := f.support * stretch
	inverse := 1 / stretch

	// Rounding both ends, as below, yields at most this many.
	t.stride = min(int(2*support)+2, in)
	n := to - from
	t.first, t.count, t.origin = grow(t.first, n), grow(t.count, n), grow(t.origin, n)
	t.coef = grow(t.coef, n*t.stride)
	t.weights = grow(t.weights, t.stride)
	t.lo, t.hi, t.most = in, 0, 0

	for i := range n {
		centre := float64((float64(from+i) + 0.5) * scale)
		first := max(int(centre-support+0.5), 0)
		last := min(int(centre+support+0.5), in)

		var sum float64
		w := t.weights[:last-first]
		for k := range w {
			w[k] = f.at((float64(k+first) - centre + 0.5) * inverse)
			sum += w[k]
		}
		coef := t.coef[i*t.stride:]
		for k := range w {
			if sum != 0 {
				w[k] /= sum
			}
			coef[k] = fixed(w[k])
		}
		head, n := trim(coef[:len(w)])
		t.origin[i] = int32(first)
		t.first[i], t.count[i] = int32(first+head), int32(n)
	}
	t.order()

	for i := range n {
		copy(t.coef[i*t.stride:(i+1)*t.stride], t.coef[i*t.stride+int(t.first[i]-t.origin[i]):])
		t.lo = min(t.lo, int(t.first[i]))
		t.hi = max(t.hi, int(t.first[i]+t.count[i]))
		t.most = max(t.most, int(t.count[i]))
	}
}

// order makes first and first+count never decrease from one output to the next,
// which trimming may have broken where the cubic crosses zero, by taking some of
// the zeros back.
func (t *taps) order() {
	for i := len(t.first) - 2; i >= 0; i-- {
		if back := t.first[i] - t.first[i+1]; back > 0 {
			t.first[i] -= back
			t.count[i] += back
		}
	}
	for i := 1; i < len(t.first); i++ {
		t.count[i] = max(t.count[i], t.first[i-1]+t.count[i-1]-t.first[i])
	}
}

func fixed(w float64) int32 {
	scaled := float64(w * (1 << precision))
	if w < 0 {
		return int32(scaled - 0.5)
	}
	return int32(scaled + 0.5)
}

// trim says which coefficients to keep, coef[head : head+n], so that no zero is
// left at either end: that changes no sum and saves both a multiplication and a
// pixel. It keeps at least one.
func trim(coef []int32) (head, n int) {
	end := len(coef)
	for end > 1 && coef[end-1] == 0 {
		end--
	}
	for head < end-1 && coef[head] == 0 {
		head++
	}
	return head, end - head
}

// grow returns a slice of length n, with s's memory where that is enough. The
// contents are undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
