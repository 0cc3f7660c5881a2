package kernel

// Resizing an image takes two passes of weighted sums, each rounded to 8 bits:
// along the rows (RowResizer), then across them (RowMixer). Coefficients are
// integers with coefBits fractional bits, so results are exact.

// coefBits is the number of fractional bits of a coefficient. With 22 of them a
// sum of 8-bit levels times coefficients (which add up to 1, and to at most about
// 1.3 in absolute value for a cubic filter) fits 32 bits, sign included.
const coefBits = 22

// half rounds a sum that is then shifted down.
const half = 1 << (coefBits - 1)

// Taps says which inputs along one axis the outputs are made of:
//
//	out[i] = clip8((sum_k Coef[i*Stride+k] * in[First[i]+k] + half) >> 22), k < Count[i]
//
// Absolute values of coefficients are below 2^26.
type Taps struct {
	First, Count []int32
	Coef         []int32
	Stride       int // coefficients reserved per output
}

// Pixels is how a row holds its pixels: Size bytes each, with red, green and blue
// at bytes R, G and B.
type Pixels struct{ Size, R, G, B int }

// RGB is packed red, green, blue.
var RGB = Pixels{3, 0, 1, 2}

// resizeRow is the portable RowResizer. in starts at pixel lo of the axis.
func resizeRow(out, in []byte, lo int, t *Taps, from Pixels) {
	if from == RGB {
		resizeRGB(out, in, lo, t)
		return
	}
	for i, first := range t.First {
		s := in[from.Size*(int(first)-lo):]
		red, green, blue := int32(half), int32(half), int32(half)
		for k, c := range t.Coef[i*t.Stride:][:t.Count[i]] {
			p := s[k*from.Size:][:from.Size]
			red += int32(p[from.R]) * c
			green += int32(p[from.G]) * c
			blue += int32(p[from.B]) * c
		}
		out[3*i], out[3*i+1], out[3*i+2] = clip8(red), clip8(green), clip8(blue)
	}
}

// resizeRGB is resizeRow for the layout that most sources are read as.
func resizeRGB(out, in []byte, lo int, t *Taps) {
	count := t.Count[:len(t.First)]
	coef := t.Coef
	for i, first := range t.First {
		s := in[3*(int(first)-lo):]
		k := coef[:count[i]]
		coef = coef[min(t.Stride, len(coef)):]
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

// mixRows is the portable RowMixer:
//
//	out[j] = clip8((sum_k coef[k] * rows[k][j] + half) >> 22)
//
// acc is working memory for as many sums as out has bytes.
func mixRows(out []byte, rows [][]byte, coef []int32, acc []int32) {
	acc = acc[:len(out)]
	for i := range acc {
		acc[i] = half
	}
	for k, c := range coef {
		for i, v := range rows[k][:len(acc)] {
			acc[i] += int32(v) * c
		}
	}
	for i, v := range acc {
		out[i] = clip8(v)
	}
}

// clip8 takes a fixed-point sum to the nearest level of 0 to 255.
func clip8(v int32) byte {
	return byte(min(max(v>>coefBits, 0), 255))
}
