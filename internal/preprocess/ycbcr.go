package preprocess

import (
	"fmt"
	"image"

	"github.com/seedge/seedge/internal/kernel"
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
	l := kernel.ChromaHalf
	if s.hdiv == 1 {
		l = kernel.ChromaFull
	}
	s.convert(l, true)
	return nil
}

// convert prepares to convert rows of a layout.
func (s *source) convert(l kernel.ChromaLayout, full bool) {
	s.matrix = kernel.LimitedRange
	if full {
		s.matrix = kernel.FullRange
	}
	s.colour.Set(s.isa, l, s.matrix)
}

func (s *source) readYCbCr(dst []byte, y, x int) {
	m := s.ycc
	n := len(dst) / 3
	luma := m.Y[y*m.YStride+x:][:n]
	row := ((s.y0+y)/s.vdiv - s.y0/s.vdiv) * m.CStride
	left := s.x0 / s.hdiv
	cb, cr := m.Cb[row:], m.Cr[row:]

	switch {
	case n == 0:
	case s.hdiv == 1:
		s.colour.Run(dst, luma, cb[x:], cr[x:])
	case s.hdiv == 2 && s.x0 >= 0:
		c := (s.x0+x)/2 - left
		if (s.x0+x)&1 != 0 { // the right half of a block first
			dst[0], dst[1], dst[2] = s.matrix.RGB(luma[0], cb[c], cr[c])
			dst, luma, c = dst[3:], luma[1:], c+1
		}
		s.colour.Run(dst, luma, cb[min(c, len(cb)):], cr[min(c, len(cr)):])
	default: // also where coordinates below 0 make division round the other way
		for i, v := range luma {
			c := (s.x0+x+i)/s.hdiv - left
			dst[3*i], dst[3*i+1], dst[3*i+2] = s.matrix.RGB(v, cb[c], cr[c])
		}
	}
}
