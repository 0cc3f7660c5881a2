package preprocess

import (
	"fmt"
	"math"
)

const (
	maxPixels = 1 << 28 // of an image in memory
	maxLong   = 1 << 24 // of a side, before and after resizing: exact in Pillow's float32 box
)

// resized is the size of a w x h image after its shorter side became short
// pixels: the longer one is short*long/short', truncated, as torchvision does it.
func resized(w, h, short int) (int, int, error) {
	if short == 0 {
		return w, h, nil
	}
	long := func(a, b int) int {
		return int(min(math.Trunc(float64(short)*float64(a)/float64(b)), maxLong+1))
	}
	rw, rh := short, short
	if w <= h {
		rh = long(h, w)
	} else {
		rw = long(w, h)
	}
	if max(rw, rh) > maxLong {
		return 0, 0, fmt.Errorf("%w: %d x %d pixels with the shorter side resized to %d is longer than %d", ErrImageSize, w, h, short, maxLong)
	}
	return rw, rh, nil
}

// centre places a crop of the given length on an axis of n pixels: the pixels
// from <= i < to are seen, and the first of them lands at position at of the
// crop. Where the axis is shorter than the crop, the rest of the crop is padding.
// torchvision: pad (crop-n)/2 before, rounded down; or cut (n-crop)/2 off,
// rounded half to even.
func centre(n, crop int) (from, to, at int) {
	if n < crop {
		return 0, n, (crop - n) / 2
	}
	cut := (n - crop) / 2
	if (n-crop)%2 == 1 && cut%2 == 1 {
		cut++
	}
	return cut, cut + crop, 0
}
