package preprocess

import (
	"fmt"
	"image"
)

// setYCbCr points s at an image of three planes, of which the chroma ones may be
// subsampled. Chroma is not interpolated: as in package image, each sample counts
// for the whole block of pixels that it covers.
func (s *source) setYCbCr(m *image.YCbCr) error {
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
		s.hdiv, s.vdiv = 1, 1
	case image.YCbCrSubsampleRatio422:
		s.hdiv, s.vdiv = 2, 1
	case image.YCbCrSubsampleRatio420:
		s.hdiv, s.vdiv = 2, 2
	case image.YCbCrSubsampleRatio440:
		s.hdiv, s.vdiv = 1, 2
	case image.YCbCrSubsampleRatio411:
		s.hdiv, s.vdiv = 4, 1
	case image.YCbCrSubsampleRatio410:
		s.hdiv, s.vdiv = 4, 2
	default:
		return fmt.Errorf("%w: unknown chroma subsampling %v", ErrBadImage, m.SubsampleRatio)
	}
	// Chroma rows start at the block that holds the bounds' corner, which a
	// subimage may cut through.
	b := m.Rect
	cw := (b.Max.X-1)/s.hdiv - b.Min.X/s.hdiv + 1
	ch := (b.Max.Y-1)/s.vdiv - b.Min.Y/s.vdiv + 1
	if err := holds("luma", len(m.Y), m.YStride, s.w, s.h); err != nil {
		return err
	}
	if err := holds("blue chroma", len(m.Cb), m.CStride, cw, ch); err != nil {
		return err
	}
	if err := holds("red chroma", len(m.Cr), m.CStride, cw, ch); err != nil {
		return err
	}
	s.layout, s.ycc = ycbcr, m
	return nil
}

func (s *source) readYCbCr(dst []byte, y, x int) {
	m := s.ycc
	n := len(dst) / 3
	luma := m.Y[y*m.YStride+x:][:n]
	row := ((s.y0+y)/s.vdiv - s.y0/s.vdiv) * m.CStride
	left := s.x0 / s.hdiv
	cb, cr := m.Cb[row:], m.Cr[row:]

	switch {
	case s.hdiv == 1:
		cb, cr = cb[x:][:n], cr[x:][:n]
		for i, v := range luma {
			putYCbCr(dst[3*i:3*i+3:3*i+3], v, chroma(cb[i], cr[i]))
		}
	case s.hdiv == 2 && s.x0 >= 0:
		c := (s.x0+x)/2 - left
		i := 0
		if (s.x0+x)&1 != 0 { // the right half of a block first
			putYCbCr(dst[:3:3], luma[0], chroma(cb[c], cr[c]))
			c, i = c+1, 1
		}
		for ; i+2 <= n; i += 2 {
			tint := chroma(cb[c], cr[c])
			d := dst[3*i : 3*i+6 : 3*i+6]
			putYCbCr(d[:3:3], luma[i], tint)
			putYCbCr(d[3:6:6], luma[i+1], tint)
			c++
		}
		if i < n {
			putYCbCr(dst[3*i:3*i+3:3*i+3], luma[i], chroma(cb[c], cr[c]))
		}
	default: // also where coordinates below 0 make division round the other way
		for i, v := range luma {
			c := (s.x0+x+i)/s.hdiv - left
			putYCbCr(dst[3*i:3*i+3:3*i+3], v, chroma(cb[c], cr[c]))
		}
	}
}

// tint is what chroma adds to the colours, in 16-bit fixed point.
type tint struct{ r, g, b int32 }

func chroma(cb, cr byte) tint {
	u, v := int32(cb)-128, int32(cr)-128
	return tint{91881 * v, -22554*u - 46802*v, 116130 * u}
}

// putYCbCr is color.YCbCrToRGB: JFIF's coefficients in 16-bit fixed point.
// 0x10101 spreads 0..255 over the 24 bits and rounds.
func putYCbCr(dst []byte, y byte, c tint) {
	luma := int32(y) * 0x10101
	dst[0] = clip16(luma + c.r)
	dst[1] = clip16(luma + c.g)
	dst[2] = clip16(luma + c.b)
}

func clip16(v int32) byte {
	return byte(min(max(v>>16, 0), 255))
}
