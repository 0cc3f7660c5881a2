package preprocess

import (
	"fmt"
	"image"
	"image/color"

	"github.com/seedge/seedge/internal/kernel"
)

// BGR is what an image may implement to hand over its pixels without a call per
// pixel: camera frames do. pix holds blue, green, red for each pixel, rows stride
// bytes apart, starting at the top left corner of Bounds.
type BGR interface {
	BGR() (pix []byte, stride int)
}

// layout says how the pixels of a source are stored.
type layout int

const (
	generic layout = iota // through At
	wide                  // through RGBA64At
	packed                // some fixed number of bytes per pixel, colours at fixed places
	premultiplied
	palette
	ycbcr
	yuyv
	nv12
	cmyk
)

// source yields the rows of an image as packed 8-bit RGB.
//
// Alpha is dropped, not composited over anything: NRGBA gives the colours as
// stored, premultiplied formats are divided by their alpha first (rounded down,
// and black where alpha is 0). Formats of 16 bits give their high byte. Y'CbCr of
// package image is converted as by [color.YCbCrToRGB], frames as by [RGB], CMYK as by [color.CMYKToRGB].
type source struct {
	layout       layout
	w, h         int
	x0, y0       int // bounds' corner
	pix          []byte
	stride       int
	size         int // bytes per pixel
	r, g, b      int // places of the colours within a pixel
	colours      [256][3]byte
	known        int // colours in the palette
	worst        int // the highest palette index met
	ycc          *image.YCbCr
	hdiv, vdiv   int
	isa          kernel.ISA // of colour; the zero value is the portable one
	colour       kernel.YCbCrRow
	matrix       kernel.YCbCr // of colour
	chroma       []byte       // NV12's second plane
	chromaStride int
	img          image.Image
	img64        image.RGBA64Image
}

// set points s at img after checking its size and that its buffers hold what its
// bounds promise.
func (s *source) set(img image.Image) error {
	if img == nil {
		return fmt.Errorf("%w: image is nil", ErrBadImage)
	}
	b := img.Bounds()
	w, h, err := checkSize(b)
	if err != nil {
		return err
	}
	s.w, s.h, s.x0, s.y0 = w, h, b.Min.X, b.Min.Y

	if m, ok := img.(BGR); ok {
		pix, stride := m.BGR()
		return s.pack(packed, pix, stride, 3, 2, 1, 0)
	}
	switch m := img.(type) {
	case YUYV:
		return s.setYUYV(m, b)
	case NV12:
		return s.setNV12(m, b)
	case *image.RGBA:
		return s.pack(premultiplied, m.Pix, m.Stride, 4, 0, 1, 2)
	case *image.NRGBA:
		return s.pack(packed, m.Pix, m.Stride, 4, 0, 1, 2)
	case *image.NRGBA64: // big-endian: the high bytes come first
		return s.pack(packed, m.Pix, m.Stride, 8, 0, 2, 4)
	case *image.Gray:
		return s.pack(packed, m.Pix, m.Stride, 1, 0, 0, 0)
	case *image.Gray16:
		return s.pack(packed, m.Pix, m.Stride, 2, 0, 0, 0)
	case *image.CMYK:
		return s.pack(cmyk, m.Pix, m.Stride, 4, 0, 1, 2)
	case *image.Paletted:
		s.setPalette(m.Palette)
		return s.pack(palette, m.Pix, m.Stride, 1, 0, 0, 0)
	case *image.YCbCr:
		return s.setYCbCr(m)
	case *image.NYCbCrA:
		return s.setYCbCr(&m.YCbCr)
	case *image.RGBA64:
		// Its buffer is checked here, its pixels are read through RGBA64At.
		if err := s.pack(wide, m.Pix, m.Stride, 8, 0, 2, 4); err != nil {
			return err
		}
		s.img64 = m
	case image.RGBA64Image:
		s.layout, s.img64 = wide, m
	default:
		s.layout, s.img = generic, img
	}
	return nil
}

// checkSize returns the width and height of b, or an error for a size that is
// empty or too large. It is careful with bounds whose difference overflows.
func checkSize(b image.Rectangle) (int, int, error) {
	w, h := b.Dx(), b.Dy()
	switch {
	case b.Empty():
		return 0, 0, fmt.Errorf("%w: image is empty (bounds %v)", ErrImageSize, b)
	case w <= 0 || h <= 0 || w > maxLong || h > maxLong || int64(w)*int64(h) > maxPixels:
		return 0, 0, fmt.Errorf("%w: image bounds %v; want at most %d pixels and sides of at most %d", ErrImageSize, b, maxPixels, maxLong)
	}
	return w, h, nil
}

func (s *source) pack(l layout, pix []byte, stride, size, r, g, b int) error {
	if err := holds("pixels", len(pix), stride, s.w*size, s.h); err != nil {
		return err
	}
	s.layout, s.pix, s.stride, s.size, s.r, s.g, s.b = l, pix, stride, size, r, g, b
	return nil
}

// holds checks that have bytes are enough for rows of n bytes, stride apart.
func holds(what string, have, stride, n, rows int) error {
	if rows > 1 && stride < n {
		return fmt.Errorf("%w: rows of %s are %d bytes apart; want at least %d", ErrBadImage, what, stride, n)
	}
	if rows > 1 && stride > have { // also so large that the product below would overflow
		return fmt.Errorf("%w: %d bytes of %s in rows %d bytes apart; want them to hold %d rows", ErrBadImage, have, what, stride, rows)
	}
	if want := int64(rows-1)*int64(stride) + int64(n); int64(have) < want {
		return fmt.Errorf("%w: %d bytes of %s; want at least %d", ErrBadImage, have, what, want)
	}
	return nil
}

// setPalette keeps the colours of a palette as RGB.
func (s *source) setPalette(p color.Palette) {
	s.worst, s.known = -1, min(len(p), 256)
	s.colours = [256][3]byte{}
	for i, c := range p[:s.known] {
		if c != nil {
			s.colours[i] = straight(c)
		}
	}
}

// read writes the RGB of len(dst)/3 pixels of row y, from column x on, both
// counted from the corner of the bounds.
func (s *source) read(dst []byte, y, x int) {
	switch s.layout {
	case packed:
		s.readPacked(dst, s.pix[y*s.stride+x*s.size:])
	case premultiplied:
		readPremultiplied(dst, s.pix[y*s.stride+x*s.size:])
	case cmyk:
		readCMYK(dst, s.pix[y*s.stride+x*s.size:])
	case palette:
		s.readPalette(dst, s.pix[y*s.stride+x:])
	case ycbcr:
		s.readYCbCr(dst, y, x)
	case yuyv:
		s.readYUYV(dst, y, x)
	case nv12:
		s.readNV12(dst, y, x)
	case wide:
		for i := 0; i+3 <= len(dst); i += 3 {
			c := s.img64.RGBA64At(s.x0+x+i/3, s.y0+y)
			dst[i], dst[i+1], dst[i+2] = unmultiply(uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		}
	default:
		for i := 0; i+3 <= len(dst); i += 3 {
			c := straight(s.img.At(s.x0+x+i/3, s.y0+y))
			copy(dst[i:], c[:])
		}
	}
}

// pixels is how direct and readAs hand over pixels.
func (s *source) pixels() kernel.Pixels {
	if s.layout == packed {
		return kernel.Pixels{Size: s.size, R: s.r, G: s.g, B: s.b}
	}
	return kernel.RGB
}

// direct is everything from pixel x of row y on, as it lies in memory, or nil
// where pixels have to be converted first.
func (s *source) direct(y, x int) []byte {
	if s.layout != packed {
		return nil
	}
	return s.pix[y*s.stride+x*s.size:]
}

// readAs is read, for pixels as pixels says.
func (s *source) readAs(dst []byte, y, x int) {
	if s.layout == packed {
		copy(dst, s.pix[y*s.stride+x*s.size:])
		return
	}
	s.read(dst, y, x)
}

// check reports what could only be seen while reading.
func (s *source) check() error {
	if s.layout == palette && s.worst >= s.known {
		return fmt.Errorf("%w: a pixel has colour %d of a palette of %d", ErrBadImage, s.worst, s.known)
	}
	return nil
}

// forget drops the references to the image, so that keeping a Processor does not
// keep the last picture alive.
func (s *source) forget() {
	s.pix, s.chroma, s.ycc, s.img, s.img64 = nil, nil, nil, nil, nil
}

func (s *source) readPacked(dst, src []byte) {
	size, r, g, b := s.size, s.r, s.g, s.b
	switch {
	case size == 3 && r == 2: // cameras
		for len(dst) >= 3 && len(src) >= 3 {
			dst[0], dst[1], dst[2] = src[2], src[1], src[0]
			dst, src = dst[3:], src[3:]
		}
	case size == 4:
		for len(dst) >= 3 && len(src) >= 4 {
			dst[0], dst[1], dst[2] = src[0], src[1], src[2]
			dst, src = dst[3:], src[4:]
		}
	default:
		for i, j := 0, 0; i+3 <= len(dst); i, j = i+3, j+size {
			dst[i], dst[i+1], dst[i+2] = src[j+r], src[j+g], src[j+b]
		}
	}
}

func readPremultiplied(dst, src []byte) {
	for len(dst) >= 3 && len(src) >= 4 {
		if src[3] == 255 {
			dst[0], dst[1], dst[2] = src[0], src[1], src[2]
		} else {
			dst[0], dst[1], dst[2] = unmultiply(
				0x101*uint32(src[0]), 0x101*uint32(src[1]), 0x101*uint32(src[2]), 0x101*uint32(src[3]))
		}
		dst, src = dst[3:], src[4:]
	}
}

func readCMYK(dst, src []byte) {
	for len(dst) >= 3 && len(src) >= 4 {
		dst[0], dst[1], dst[2] = color.CMYKToRGB(src[0], src[1], src[2], src[3])
		dst, src = dst[3:], src[4:]
	}
}

func (s *source) readPalette(dst, src []byte) {
	worst := s.worst
	for i := 0; i+3 <= len(dst); i += 3 {
		v := src[i/3]
		worst = max(worst, int(v))
		copy(dst[i:i+3], s.colours[v][:])
	}
	s.worst = worst
}

// straight is the RGB of any colour, its alpha dropped.
func straight(c color.Color) [3]byte {
	switch c := c.(type) {
	case color.NRGBA:
		return [3]byte{c.R, c.G, c.B}
	case color.NRGBA64:
		return [3]byte{byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)}
	case color.NYCbCrA:
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return [3]byte{r, g, b}
	}
	r, g, b := unmultiply(c.RGBA())
	return [3]byte{r, g, b}
}

// unmultiply takes premultiplied 16-bit values to the high bytes of straight
// ones, like [color.NRGBAModel] but without exceeding 255 for the invalid colours
// that are brighter than their alpha.
func unmultiply(r, g, b, a uint32) (byte, byte, byte) {
	switch a {
	case 0xffff:
		return byte(r >> 8), byte(g >> 8), byte(b >> 8)
	case 0:
		return 0, 0, 0
	}
	r = min(r*0xffff/a, 0xffff)
	g = min(g*0xffff/a, 0xffff)
	b = min(b*0xffff/a, 0xffff)
	return byte(r >> 8), byte(g >> 8), byte(b >> 8)
}
