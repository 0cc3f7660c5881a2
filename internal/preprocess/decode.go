package preprocess

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

const (
	maxFile       = 512 << 20   // bytes of an encoded image
	maxMegapixels = 100_000_000 // pixels that an encoded image may claim
)

// format is an encoding that Decode reads.
type format struct {
	name, magic string // '?' in magic stands for any byte
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)

	// density is the most pixels that a byte can stand for: a header that claims
	// more than the file can hold is refused before memory is set aside for it.
	// 0 means that the format knows no such bound.
	density func(image.Config) int64
}

var formats = []format{
	// Every 8x8 block takes at least one bit.
	{"JPEG", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode, flat(8 * 64)},
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, pngDensity},
	// A code of 12 bits stands for at most 4096 pixels.
	{"GIF", "GIF8?a", gif.DecodeConfig, gif.Decode, flat(4096)},
	// One colour for the whole picture takes no bits per pixel at all.
	{"WebP", "RIFF????WEBP", webp.DecodeConfig, webp.Decode, flat(0)},
	{"BMP", "BM????\x00\x00\x00\x00", bmp.DecodeConfig, bmp.Decode, flat(8)},
}

func flat(n int64) func(image.Config) int64 {
	return func(image.Config) int64 { return n }
}

// pngDensity follows from deflate, which expands no byte to more than 1032.
func pngDensity(c image.Config) int64 {
	const deflate = 1032
	switch c.ColorModel {
	case color.GrayModel:
		return 8 * deflate // as little as one bit per pixel
	case color.Gray16Model:
		return deflate / 2
	case color.RGBAModel, color.NRGBAModel:
		return deflate / 2 // grey with alpha takes two bytes, and reads as NRGBA
	case color.RGBA64Model, color.NRGBA64Model:
		return deflate / 4
	}
	return 8 * deflate // a palette
}

// Decode reads a JPEG, PNG, GIF (the first frame), WebP or BMP image. A JPEG is
// turned upright as its EXIF orientation says.
//
// Data of another kind are an [ErrNotImage]; a broken or unsupported image is an
// [ErrBadImage]; one that claims more than 100 megapixels, or more pixels than its
// bytes can encode, is refused before it is decoded, with an [ErrImageSize].
func Decode(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: more than %d MiB of data", ErrImageSize, maxFile>>20)
	}
	f, err := sniff(data)
	if err != nil {
		return nil, err
	}
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadImage, f.name, err)
	}
	if err := f.admit(config, int64(len(data))); err != nil {
		return nil, err
	}
	img, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadImage, f.name, err)
	}
	switch m := img.(type) {
	case *image.Paletted:
		if f.name == "GIF" {
			return onCanvas(m, config.Width, config.Height), nil
		}
	default:
		if o := orientation(data); f.name == "JPEG" && o != upright {
			return orient(img, o)
		}
	}
	return img, nil
}

// Open reads the image file at path with [Decode]. Errors name the file.
func Open(path string) (image.Image, error) {
	// A pipe or a device might never end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("image %s: %w: it is no regular file (%s)", path, ErrNotImage, info.Mode())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	defer file.Close()
	img, err := Decode(file)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	return img, nil
}

// admit refuses sizes that are not worth or not safe decoding.
func (f *format) admit(c image.Config, size int64) error {
	if c.Width <= 0 || c.Height <= 0 {
		return fmt.Errorf("%w: %s of %d x %d pixels", ErrImageSize, f.name, c.Width, c.Height)
	}
	pixels := int64(c.Width) * int64(c.Height)
	if pixels > maxMegapixels {
		return fmt.Errorf("%w: %s of %d x %d pixels; want at most %d megapixels", ErrImageSize, f.name, c.Width, c.Height, maxMegapixels/1_000_000)
	}
	if d := f.density(c); d > 0 && pixels > d*size {
		return fmt.Errorf("%w: %s claims %d x %d pixels, more than its %d bytes can hold", ErrImageSize, f.name, c.Width, c.Height, size)
	}
	return nil
}

// sniff tells the format by the first bytes.
func sniff(data []byte) (*format, error) {
	for i := range formats {
		if matches(data, formats[i].magic) {
			return &formats[i], nil
		}
	}
	const want = "want JPEG, PNG, GIF, WebP or BMP"
	start := data[:min(len(data), 24)]
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%w: it is empty; %s", ErrNotImage, want)
	case isText(start):
		return nil, fmt.Errorf("%w: it is text, starting with %q; %s", ErrNotImage, start, want)
	}
	return nil, fmt.Errorf("%w: it starts with the bytes % x; %s", ErrNotImage, start[:min(len(start), 8)], want)
}

func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// isText is true for bytes without control characters, bar those of text.
func isText(data []byte) bool {
	for _, b := range data {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// onCanvas puts a frame of a GIF that does not cover its canvas in its place.
// The rest is transparent, or the first colour if the frame has no transparency.
func onCanvas(frame *image.Paletted, w, h int) image.Image {
	canvas := image.Rect(0, 0, w, h)
	if frame.Rect == canvas {
		return frame
	}
	out := image.NewPaletted(canvas, frame.Palette)
	for i, c := range frame.Palette {
		if _, _, _, a := c.RGBA(); a == 0 {
			for j := range out.Pix {
				out.Pix[j] = byte(i)
			}
			break
		}
	}
	r := frame.Rect.Intersect(canvas)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from := frame.PixOffset(r.Min.X, y)
		copy(out.Pix[out.PixOffset(r.Min.X, y):], frame.Pix[from:from+r.Dx()])
	}
	return out
}
