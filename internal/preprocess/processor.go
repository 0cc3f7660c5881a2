package preprocess

import (
	"encoding/binary"
	"fmt"
	"image"
	"unsafe"

	"github.com/seedge/seedge/internal/kernel"
)

// Processor prepares images as one [Spec] says. It reuses its buffers: once it
// has seen an image, others of the same size cost no allocation (unless they are
// of a type without a fast path, whose At allocates). It is not safe for
// concurrent use; make one per goroutine.
type Processor struct {
	spec   Spec
	filter filter
	levels [3][256]float32

	// The plan for images of srcW x srcH pixels.
	srcW, srcH int
	at         int // where the resized image's first byte lands in crop

	resample resampler
	source   source
	crop     []byte
}

// New makes a Processor. A bad spec is an [ErrSpec]; the environment variable
// SEEDGE_ISA naming an instruction set that is not to be had a kernel.ErrISA.
func New(spec Spec) (*Processor, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	f, err := filterNamed(spec.Interpolation)
	if err != nil {
		return nil, err
	}
	isa, err := kernel.DefaultISA()
	if err != nil {
		return nil, fmt.Errorf("preprocess: %w", err)
	}
	p := &Processor{spec: spec, filter: f, levels: spec.Levels(), crop: make([]byte, 3*spec.Width*spec.Height)}
	p.resample.isa, p.source.isa = isa, isa
	return p, nil
}

// Spec returns what the Processor was made with.
func (p *Processor) Spec() Spec { return p.spec }

// RGB returns the resized crop of img: Height x Width x 3 bytes, R, G, B. They
// are valid until the next call. Errors wrap [ErrImageSize] or [ErrBadImage].
//
// Fast paths: any type with a method BGR, YUYV or NV12 (see [BGR], [YUYV] and
// [NV12]), and of package image RGBA, NRGBA, NRGBA64, Gray, Gray16, Paletted, CMYK, YCbCr and NYCbCrA of every
// subsampling. Alpha is dropped, not composited.
func (p *Processor) RGB(img image.Image) ([]byte, error) {
	defer p.source.forget()
	if err := p.source.set(img); err != nil {
		return nil, err
	}
	if err := p.plan(p.source.w, p.source.h); err != nil {
		return nil, err
	}
	p.resample.run(p.crop[p.at:], 3*p.spec.Width, &p.source)
	if err := p.source.check(); err != nil {
		return nil, err
	}
	return p.crop, nil
}

// plan prepares for images of w x h pixels; it does nothing if that is what it
// last did.
func (p *Processor) plan(w, h int) error {
	if w == p.srcW && h == p.srcH {
		return nil
	}
	rw, rh, err := resized(w, h, p.spec.Resize)
	if err != nil {
		return err
	}
	var win window
	var left, top int
	win.x0, win.x1, left = centre(rw, p.spec.Width)
	win.y0, win.y1, top = centre(rh, p.spec.Height)

	p.srcW, p.srcH = w, h
	p.at = 3 * (top*p.spec.Width + left)
	p.resample.set(w, h, rw, rh, win, p.filter)
	clear(p.crop) // the padding, which run never touches
	return nil
}

// Float writes the normalised crop of img to dst: Height x Width x 3 float32, R,
// G, B, (v/255 - mean) / std with each operation rounded to float32, as
// torchvision computes it. dst of another length is an [ErrBuffer].
func (p *Processor) Float(dst []float32, img image.Image) error {
	if err := p.fits(len(dst)); err != nil {
		return err
	}
	rgb, err := p.RGB(img)
	if err != nil {
		return err
	}
	apply(dst, rgb, &p.levels)
	return nil
}

// Int8 writes the quantised crop of img to dst: Height x Width x 3 int8, R, G, B,
// each table[channel][level]. [Spec.Levels] has the real values to make the table
// from. dst of another length is an [ErrBuffer].
func (p *Processor) Int8(dst []int8, table *[3][256]int8, img image.Image) error {
	if err := p.fits(len(dst)); err != nil {
		return err
	}
	rgb, err := p.RGB(img)
	if err != nil {
		return err
	}
	if *table == plainLevels {
		flip(dst, rgb)
	} else {
		apply(dst, rgb, table)
	}
	return nil
}

// plainLevels is the table of inputs that take pixels without rounding them.
var plainLevels = func() (t [3][256]int8) {
	for c := range t {
		for v := range t[c] {
			t[c][v] = int8(v - 128)
		}
	}
	return t
}()

// flip is dst = rgb - 128, eight levels at a time.
func flip(dst []int8, rgb []byte) {
	d := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst))
	i := 0
	for ; i+8 <= len(rgb) && i+8 <= len(d); i += 8 {
		binary.LittleEndian.PutUint64(d[i:], binary.LittleEndian.Uint64(rgb[i:])^0x8080808080808080)
	}
	for ; i < len(rgb); i++ {
		d[i] = rgb[i] ^ 0x80
	}
}

func (p *Processor) fits(n int) error {
	if n != len(p.crop) {
		return fmt.Errorf("%w: destination has %d values; want %d x %d x 3 = %d", ErrBuffer, n, p.spec.Height, p.spec.Width, len(p.crop))
	}
	return nil
}

// apply looks every level up in the table of its channel.
func apply[T int8 | float32](dst []T, rgb []byte, table *[3][256]T) {
	for i := 0; i+3 <= len(rgb) && i+3 <= len(dst); i += 3 {
		d, s := dst[i:i+3:i+3], rgb[i:i+3:i+3]
		d[0], d[1], d[2] = table[0][s[0]], table[1][s[1]], table[2][s[2]]
	}
}
