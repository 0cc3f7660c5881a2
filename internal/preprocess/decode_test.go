package preprocess

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"
)

// quadrants is the picture of testdata/quadrants.webp.
func quadrants() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 48, 32))
	colours := [4]color.RGBA{{220, 40, 40, 255}, {40, 200, 60, 255}, {50, 60, 220, 255}, {230, 220, 60, 255}}
	for y := range 32 {
		for x := range 48 {
			m.SetRGBA(x, y, colours[y/16*2+x/24])
		}
	}
	return m
}

func encoded(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.Bytes()
}

// files is the picture in every format that Decode reads.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	m := quadrants()
	indexed := image.NewPaletted(m.Rect, color.Palette{m.At(0, 0), m.At(47, 0), m.At(0, 31), m.At(47, 31)})
	draw.Draw(indexed, m.Rect, m, image.Point{}, draw.Src)
	lossless, err := os.ReadFile("testdata/quadrants.webp")
	require.NoError(t, err)
	return map[string][]byte{
		"JPEG": encoded(t, func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 95}) }),
		"PNG":  encoded(t, func(w io.Writer) error { return png.Encode(w, m) }),
		"GIF":  encoded(t, func(w io.Writer) error { return gif.Encode(w, indexed, nil) }),
		"BMP":  encoded(t, func(w io.Writer) error { return bmp.Encode(w, m) }),
		"WebP": lossless,
	}
}

func TestDecodeEveryFormat(t *testing.T) {
	m := quadrants()
	for name, data := range files(t) {
		img, err := Decode(bytes.NewReader(data))
		require.NoError(t, err, name)
		require.Equal(t, m.Rect, img.Bounds(), name)
		for _, at := range []image.Point{{5, 5}, {40, 5}, {5, 28}, {40, 28}} {
			got, want := rgbAt(img, at.X, at.Y), rgbAt(m, at.X, at.Y)
			for c := range got {
				assert.InDelta(t, want[c], got[c], map[string]float64{"JPEG": 4}[name], "%s at %v: %v, want %v", name, at, got, want)
			}
		}
	}
}

func TestDecodeRefusesWhatIsDamaged(t *testing.T) {
	for name, data := range files(t) {
		for _, n := range []int{len(data) / 4, len(data) / 2, len(data) * 3 / 4} {
			_, err := Decode(bytes.NewReader(data[:n]))
			require.Error(t, err, "%s cut to %d of %d bytes", name, n, len(data))
			assert.True(t, errors.Is(err, ErrBadImage) || errors.Is(err, ErrImageSize), "%s cut to %d: %v", name, n, err)
		}
	}
}

func TestDecodeRefusesWhatIsNoImage(t *testing.T) {
	for name, c := range map[string]struct{ data, says string }{
		"empty":      {"", "not an image: it is empty"},
		"text":       {"hello, I am a text file\n", `not an image: it is text, starting with "hello, I am a text file\n"`},
		"UTF-8":      {"Grüße aus Köln", "not an image: it is text"},
		"PDF":        {"%PDF-1.4\n%\xe2\x00\xcf\xd3", "not an image: it starts with the bytes 25 50 44 46"},
		"short":      {"\x00", "not an image: it starts with the bytes 00"},
		"half magic": {"\x89PN", "not an image"},
	} {
		_, err := Decode(bytes.NewReader([]byte(c.data)))
		require.ErrorIs(t, err, ErrNotImage, name)
		assert.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, "want JPEG, PNG, GIF, WebP or BMP", name)
	}
}

func TestDecodePassesReadErrorsOn(t *testing.T) {
	_, err := Decode(io.MultiReader(bytes.NewReader([]byte("\xff\xd8")), failing{}))
	require.ErrorIs(t, err, fs.ErrPermission)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fs.ErrPermission }

// pngClaiming is a PNG whose header promises w x h pixels of 8-bit RGB, with
// padding bytes after it.
func pngClaiming(w, h uint32, padding int) []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, w)
	header = binary.BigEndian.AppendUint32(header, h)
	header = append(header, 8, 2, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(header)-4))
	out = append(out, header...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(header))
	return append(out, make([]byte, padding)...)
}

func TestDecodeRefusesBombs(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"too many pixels":   {pngClaiming(10001, 10000, 1<<20), "10001 x 10000 pixels; want at most 100 megapixels"},
		"more than it hold": {pngClaiming(9000, 9000, 100), "more than its"},
	} {
		_, err := Decode(bytes.NewReader(c.data))
		require.ErrorIs(t, err, ErrImageSize, name)
		assert.ErrorContains(t, err, c.says)
	}
	// What a plausible file claims is left to the decoder.
	_, err := Decode(bytes.NewReader(pngClaiming(100, 100, 1000)))
	require.ErrorIs(t, err, ErrBadImage)

	// A blank picture compresses as far as its format allows, and is no bomb.
	blank := image.NewGray(image.Rect(0, 0, 3000, 3000))
	for name, data := range map[string][]byte{
		"PNG": encoded(t, func(w io.Writer) error {
			return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, blank)
		}),
		"PNG of one bit": encoded(t, func(w io.Writer) error {
			p := image.NewPaletted(blank.Rect, color.Palette{color.Black, color.White})
			return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, p)
		}),
		"JPEG": encoded(t, func(w io.Writer) error { return jpeg.Encode(w, blank, &jpeg.Options{Quality: 1}) }),
		"GIF": encoded(t, func(w io.Writer) error {
			return gif.Encode(w, image.NewPaletted(blank.Rect, color.Palette{color.Black}), nil)
		}),
	} {
		img, err := Decode(bytes.NewReader(data))
		require.NoError(t, err, "%s of %d bytes", name, len(data))
		require.Equal(t, blank.Rect, img.Bounds())
	}
}

// The first frame of a GIF may cover only a part of its canvas.
func TestDecodePlacesTheFirstFrame(t *testing.T) {
	for _, transparent := range []bool{false, true} {
		palette := color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{200, 100, 50, 255}, color.RGBA{}}
		if !transparent {
			palette[2] = color.RGBA{1, 1, 1, 255}
		}
		frame := image.NewPaletted(image.Rect(2, 3, 5, 6), palette)
		for i := range frame.Pix {
			frame.Pix[i] = 1
		}
		data := encoded(t, func(w io.Writer) error {
			return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 8, Height: 9, ColorModel: palette}})
		})
		img, err := Decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, 8, 9), img.Bounds())
		for y := range 9 {
			for x := range 8 {
				want := [3]byte{10, 20, 30}
				if transparent {
					want = [3]byte{}
				}
				if image.Pt(x, y).In(frame.Rect) {
					want = [3]byte{200, 100, 50}
				}
				require.Equal(t, want, rgbAt(img, x, y), "%d, %d", x, y)
			}
		}
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.jpg")
	require.NoError(t, os.WriteFile(text, []byte("not a picture"), 0o600))
	_, err := Open(text)
	require.ErrorIs(t, err, ErrNotImage)
	assert.ErrorContains(t, err, text)

	missing := filepath.Join(dir, "missing.png")
	_, err = Open(missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, missing)

	_, err = Open(dir)
	require.ErrorIs(t, err, ErrNotImage)
	assert.ErrorContains(t, err, dir)

	for name, data := range files(t) {
		path := filepath.Join(dir, "picture."+name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		img, err := Open(path)
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, 48, 32), img.Bounds())
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	f.Add(pngClaiming(1000, 1000, 50))
	sideways, err := os.ReadFile("testdata/exif/6.jpg")
	require.NoError(f, err)
	f.Add(sideways)
	p := processor(f, Spec{Resize: 9, Width: 8, Height: 7, Interpolation: Bicubic})
	f.Fuzz(func(t *testing.T, data []byte) {
		if f, err := sniff(data); err == nil {
			// Large pictures are sound, only slow to fuzz with.
			if c, err := f.config(bytes.NewReader(data)); err == nil && int64(c.Width)*int64(c.Height) > 1<<18 {
				return
			}
		}
		img, err := Decode(bytes.NewReader(data))
		if err != nil {
			require.Nil(t, img)
			require.True(t, errors.Is(err, ErrNotImage) || errors.Is(err, ErrBadImage) || errors.Is(err, ErrImageSize), "%v", err)
			return
		}
		if _, err := p.RGB(img); err != nil {
			require.True(t, errors.Is(err, ErrBadImage) || errors.Is(err, ErrImageSize), "%v", err)
		}
	})
}
