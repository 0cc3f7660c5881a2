package kernel

// ChromaLayout says where a row has its chroma.
type ChromaLayout int

// The layouts. Where two pixels share chroma, a row begins with both of them; of
// the last pair the second may be missing.
const (
	ChromaFull ChromaLayout = iota // three planes, one sample for each pixel
	ChromaHalf                     // three planes, one sample for two pixels
	NV12                           // a plane of luma, one of Cb Cr for two pixels
	YUYV                           // one plane of Y Cb Y Cr for two pixels
	chromaLayouts
)

// YCbCr is how luma and chroma of 8 bits become R, G, B, in 16-bit fixed point:
//
//	R = clip8((Y*y + Bias + RV*v) >> 16)
//	G = clip8((Y*y + Bias + GU*u + GV*v) >> 16)
//	B = clip8((Y*y + Bias + BU*u) >> 16), u = cb - 128, v = cr - 128
//
// where clip8 is the nearest of 0 to 255.
type YCbCr struct{ Y, Bias, RV, GU, GV, BU int32 }

// The two of ITU-R BT.601.
var (
	// FullRange is JFIF's, and color.YCbCrToRGB's: levels 0 to 255. 0x10101 spreads
	// them over the 24 bits and rounds.
	FullRange = YCbCr{0x10101, 0, 91881, -22554, -46802, 116130}
	// LimitedRange is video's: luma 16 to 235, chroma 16 to 240. The sum is rounded
	// half up.
	LimitedRange = YCbCr{76309, 1<<15 - 16*76309, 104597, -25675, -53279, 132201}
)

type tint struct{ r, g, b int32 }

func (m *YCbCr) tint(cb, cr byte) tint {
	u, v := int32(cb)-128, int32(cr)-128
	return tint{m.Bias + m.RV*v, m.Bias + m.GU*u + m.GV*v, m.Bias + m.BU*u}
}

func (m *YCbCr) put(dst []byte, y byte, c tint) {
	luma := m.Y * int32(y)
	dst[0], dst[1], dst[2] = clip16(luma+c.r), clip16(luma+c.g), clip16(luma+c.b)
}

func clip16(v int32) byte { return byte(min(max(v>>16, 0), 255)) }

// RGB converts one pixel.
func (m *YCbCr) RGB(y, cb, cr byte) (r, g, b byte) {
	var p [3]byte
	m.put(p[:], y, m.tint(cb, cr))
	return p[0], p[1], p[2]
}

// convertRow is the portable YCbCrRow.Run.
func convertRow(dst []byte, l ChromaLayout, m *YCbCr, y, cb, cr []byte) {
	n := len(dst) / 3
	if n == 0 {
		return
	}
	if l == ChromaFull {
		y, cb, cr = y[:n], cb[:n], cr[:n]
		for i, v := range y {
			m.put(dst[3*i:3*i+3:3*i+3], v, m.tint(cb[i], cr[i]))
		}
		return
	}
	next, step := 1, 1 // from luma to the next, from chroma to the next
	switch l {
	case NV12:
		cr, step = cb[1:], 2
	case YUYV:
		cb, cr, next, step = y[1:], y[3:], 2, 4
	}
	k, i := 0, 0
	for ; i+2 <= n; i += 2 {
		t := m.tint(cb[k], cr[k])
		d := dst[3*i : 3*i+6 : 3*i+6]
		m.put(d[:3:3], y[next*i], t)
		m.put(d[3:6:6], y[next*i+next], t)
		k += step
	}
	if i < n {
		m.put(dst[3*i:3*i+3:3*i+3], y[next*i], m.tint(cb[k], cr[k]))
	}
}
