package kernel

// PackDepthwise turns weights from [channels][taps] into [taps][channels], the
// order in which Depthwise reads them.
func PackDepthwise(weight []int8, channels int) []int8 {
	taps := len(weight) / channels
	packed := make([]int8, len(weight))
	for c := range channels {
		for t := range taps {
			packed[t*channels+c] = weight[c*taps+t]
		}
	}
	return packed
}

// Depthwise filters every channel by itself, equations 2 to 5:
//
//	acc[c] = bias[c] + sum over taps (i, j) of weight[i][j][c] * src[y*s+i*d-top][x*s+j*d-left][c]
//
// for each output pixel (y, x). A tap outside the input reads zero (z_x [C]) in
// place of a pixel, so that padding costs neither a copy nor a branch per
// channel. src is [InH][InW][C], dst and residual (if the epilogue has one) are
// [OutH][OutW][C], weight is packed, bias is [C], acc holds C.
func Depthwise(dst, src, residual, zero []int8, g *Geometry, weight []int8, bias []int32, e *Epilogue, acc []int32) {
	acc = acc[:g.OutC]
	for y := range g.OutH {
		for x := range g.OutW {
			copy(acc, bias)
			for i := range g.KernelH {
				sy := y*g.StrideH + i*g.DilationH - g.Top
				w := weight[i*g.KernelW*g.InC : (i+1)*g.KernelW*g.InC]
				g.depthwiseRow(acc, src, zero, w, sy, x*g.StrideW-g.Left)
			}
			e.applyRows(dst, residual, y*g.OutW+x, 1, acc)
		}
	}
}

// depthwiseRow adds one row of taps, the first of which is at (y, x).
func (g *Geometry) depthwiseRow(acc []int32, src, zero, weight []int8, y, x int) {
	c := len(acc)
	j := 0
	for ; j+3 <= g.KernelW; j += 3 {
		p0 := g.pixel(src, zero, y, x+j*g.DilationW)
		p1 := g.pixel(src, zero, y, x+(j+1)*g.DilationW)
		p2 := g.pixel(src, zero, y, x+(j+2)*g.DilationW)
		taps3(acc, p0, p1, p2, weight[j*c:(j+3)*c])
	}
	switch g.KernelW - j {
	case 2:
		p0 := g.pixel(src, zero, y, x+j*g.DilationW)
		p1 := g.pixel(src, zero, y, x+(j+1)*g.DilationW)
		taps2(acc, p0, p1, weight[j*c:(j+2)*c])
	case 1:
		taps1(acc, g.pixel(src, zero, y, x+j*g.DilationW), weight[j*c:(j+1)*c])
	}
}

// pixel is the input's channels at (y, x), or zero if that is outside.
func (g *Geometry) pixel(src, zero []int8, y, x int) []int8 {
	if y < 0 || y >= g.InH || x < 0 || x >= g.InW {
		return zero
	}
	if g.Ring > 0 {
		y %= g.Ring
	}
	return src[(y*g.InW+x)*g.InC:][:g.InC]
}

func taps3(acc []int32, p0, p1, p2, w []int8) {
	n := len(acc)
	w0, w1, w2 := w[:n], w[n:][:n], w[2*n:][:n]
	p0, p1, p2 = p0[:n], p1[:n], p2[:n]
	for c := range acc {
		acc[c] += int32(p0[c])*int32(w0[c]) + int32(p1[c])*int32(w1[c]) + int32(p2[c])*int32(w2[c])
	}
}

func taps2(acc []int32, p0, p1, w []int8) {
	n := len(acc)
	w0, w1 := w[:n], w[n:][:n]
	p0, p1 = p0[:n], p1[:n]
	for c := range acc {
		acc[c] += int32(p0[c])*int32(w0[c]) + int32(p1[c])*int32(w1[c])
	}
}

func taps1(acc []int32, p, w []int8) {
	p, w = p[:len(acc)], w[:len(acc)]
	for c := range acc {
		acc[c] += int32(p[c]) * int32(w[c])
	}
}
