package preprocess

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/stretchr/testify/require"
)

// frame is what all frames of luma and chroma share. Its At is the specification.
type frame struct {
	image.Rectangle
	full bool
	at   func(x, y int) (luma, cb, cr byte)
}

func (f *frame) ColorModel() color.Model { return color.RGBAModel }
func (f *frame) Bounds() image.Rectangle { return f.Rectangle }
func (f *frame) At(x, y int) color.Color {
	luma, cb, cr := f.at(x, y)
	return RGB(luma, cb, cr, f.full)
}

type yuyvFrame struct {
	frame
	pix    []byte
	stride int
}

func (f *yuyvFrame) YUYV() ([]byte, int, bool) { return f.pix, f.stride, f.full }

type nv12Frame struct {
	frame
	luma, chroma             []byte
	lumaStride, chromaStride int
}

func (f *nv12Frame) NV12() ([]byte, int, []byte, int, bool) {
	return f.luma, f.lumaStride, f.chroma, f.chromaStride, f.full
}

func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 12))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// randomYUYV and randomNV12 have rows with a gap between them and not a byte more
// than they need.
func randomYUYV(w, h int) *yuyvFrame {
	row := (w + 1) / 2 * 4
	f := &yuyvFrame{stride: row + 12}
	f.pix = random(1, f.stride*(h-1)+row)
	f.Rectangle = image.Rect(0, 0, w, h)
	f.at = func(x, y int) (byte, byte, byte) {
		row := f.pix[y*f.stride:]
		return row[2*x], row[x/2*4+1], row[x/2*4+3]
	}
	return f
}

func randomNV12(w, h int) *nv12Frame {
	row := (w + 1) / 2 * 2
	f := &nv12Frame{lumaStride: w + 5, chromaStride: row + 6}
	f.luma = random(2, f.lumaStride*(h-1)+w)
	f.chroma = random(3, f.chromaStride*((h+1)/2-1)+row)
	f.Rectangle = image.Rect(0, 0, w, h)
	f.at = func(x, y int) (byte, byte, byte) {
		pair := f.chroma[y/2*f.chromaStride+x/2*2:]
		return f.luma[y*f.lumaStride+x], pair[0], pair[1]
	}
	return f
}

// TestVideoFrames holds what is read of frames and of their parts, of odd places
// and sizes, to At.
func TestVideoFrames(t *testing.T) {
	for _, isa := range kernel.ISAs() {
		for _, size := range [][2]int{{1, 1}, {2, 2}, {15, 3}, {33, 4}, {70, 5}, {71, 7}} {
			w, h := size[0], size[1]
			a, b := randomYUYV(w, h), randomNV12(w, h)
			for _, full := range []bool{false, true} {
				for _, part := range []image.Rectangle{image.Rect(0, 0, w, h), image.Rect(1, 1, w, h), image.Rect(w/2, h/3, w-1, h), image.Rect(w-1, h-1, w, h)} {
					if part.Empty() {
						continue
					}
					a.Rectangle, b.Rectangle, a.full, b.full = part, part, full, full
					for _, img := range []image.Image{a, b} {
						s := source{isa: isa}
						require.NoError(t, s.set(img))
						for x := range min(4, s.w) {
							row := make([]byte, 3*(s.w-x))
							for y := range s.h {
								s.read(row, y, x)
								for i := 0; i < len(row); i += 3 {
									c := img.At(part.Min.X+x+i/3, part.Min.Y+y).(color.RGBA)
									require.Equal(t, [3]byte{c.R, c.G, c.B}, [3]byte(row[i:]), "%v: %T %v in %v, column %d row %d", isa, img, part, size, x+i/3, y)
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestVideoFramesArePrepared: the whole way gives what the pixels give one by one.
func TestVideoFramesArePrepared(t *testing.T) {
	for _, spec := range []Spec{{Resize: 40, Width: 32, Height: 32}, {Width: 33, Height: 31}, {Resize: 90, Width: 64, Height: 64, Interpolation: Bicubic}} {
		p := processor(t, spec)
		for _, img := range []image.Image{randomYUYV(101, 67), randomNV12(101, 67)} {
			want, err := p.RGB(slow{img})
			require.NoError(t, err)
			want = append([]byte(nil), want...)
			got, err := p.RGB(img)
			require.NoError(t, err)
			require.Equal(t, want, got, "%T %+v", img, spec)
		}
	}
}

func TestBadVideoFrames(t *testing.T) {
	a := func(edit func(*yuyvFrame)) image.Image { f := randomYUYV(9, 5); edit(f); return f }
	b := func(edit func(*nv12Frame)) image.Image { f := randomNV12(9, 5); edit(f); return f }
	for name, c := range map[string]struct {
		img  image.Image
		want error
		text string
	}{
		"YUYV short":           {a(func(f *yuyvFrame) { f.pix = f.pix[:len(f.pix)-1] }), ErrBadImage, "147 bytes of YUYV pixels; want at least 148"},
		"YUYV nothing":         {a(func(f *yuyvFrame) { f.pix = nil }), ErrBadImage, "YUYV pixels"},
		"YUYV stride":          {a(func(f *yuyvFrame) { f.stride = 18 }), ErrBadImage, "18 bytes apart; want at least 20"},
		"YUYV endless stride":  {a(func(f *yuyvFrame) { f.stride = math.MaxInt }), ErrBadImage, "YUYV pixels"},
		"YUYV negative stride": {a(func(f *yuyvFrame) { f.stride = -32 }), ErrBadImage, "at least 20"},
		"YUYV outside":         {a(func(f *yuyvFrame) { f.Rectangle = image.Rect(-1, 0, 8, 5) }), ErrBadImage, "begin outside"},
		"YUYV far":             {a(func(f *yuyvFrame) { f.Rectangle = image.Rect(math.MaxInt-2, 0, math.MaxInt, 5) }), ErrImageSize, "want them to end"},
		"YUYV empty":           {a(func(f *yuyvFrame) { f.Rectangle = image.Rectangle{} }), ErrImageSize, "empty"},
		"YUYV beyond":          {a(func(f *yuyvFrame) { f.Rectangle = image.Rect(3, 3, 9, 6) }), ErrBadImage, "YUYV pixels"},
		"NV12 short luma":      {b(func(f *nv12Frame) { f.luma = f.luma[:len(f.luma)-1] }), ErrBadImage, "luma"},
		"NV12 short chroma":    {b(func(f *nv12Frame) { f.chroma = f.chroma[:len(f.chroma)-1] }), ErrBadImage, "41 bytes of NV12 chroma; want at least 42"},
		"NV12 luma stride":     {b(func(f *nv12Frame) { f.lumaStride = 8 }), ErrBadImage, "rows of luma are 8"},
		"NV12 chroma stride":   {b(func(f *nv12Frame) { f.chromaStride = 9 }), ErrBadImage, "rows of NV12 chroma are 9"},
		"NV12 outside":         {b(func(f *nv12Frame) { f.Rectangle = image.Rect(0, -1, 8, 5) }), ErrBadImage, "begin outside"},
	} {
		t.Run(name, func(t *testing.T) {
			p := processor(t, Spec{Resize: 8, Width: 4, Height: 4})
			_, err := p.RGB(c.img)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.text)
			require.Nil(t, p.source.pix)
			require.Nil(t, p.source.chroma)
			_, err = p.RGB(randomNV12(9, 7))
			require.NoError(t, err)
		})
	}
}
