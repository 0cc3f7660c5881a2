package preprocess

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cases is testdata/cases.json, written by train/goldens_resize.py.
type cases struct {
	Resize []struct {
		Input, Interpolation, Want string
		Width, Height              int
	}
	Pipeline []struct {
		Input, Interpolation, Want string
		Resize, Width, Height      int
	}
	Exif []struct {
		File          string
		Width, Height int
		Quadrants     [4][3]int
	}
}

func goldens(t *testing.T) cases {
	t.Helper()
	data, err := os.ReadFile("testdata/cases.json")
	require.NoError(t, err)
	var c cases
	require.NoError(t, json.Unmarshal(data, &c))
	require.NotEmpty(t, c.Resize)
	require.NotEmpty(t, c.Pipeline)
	require.Len(t, c.Exif, 8)
	return c
}

// readPNG decodes with the standard library alone, so that the expectation does
// not pass through what is tested.
func readPNG(t *testing.T, name string) *image.RGBA {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	require.IsType(t, &image.RGBA{}, img)
	return img.(*image.RGBA)
}

func rgbOf(m *image.RGBA) []byte {
	var out []byte
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			p := m.Pix[y*m.Stride+4*x:]
			out = append(out, p[0], p[1], p[2])
		}
	}
	return out
}

func TestResizeEqualsPillow(t *testing.T) {
	for _, c := range goldens(t).Resize {
		t.Run(fmt.Sprintf("%s-%dx%d-%s", c.Input, c.Width, c.Height, c.Interpolation), func(t *testing.T) {
			in := readPNG(t, "inputs/"+c.Input+".png")
			f, err := filterNamed(c.Interpolation)
			require.NoError(t, err)
			var s source
			require.NoError(t, s.set(in))
			var r resampler
			r.set(s.w, s.h, c.Width, c.Height, window{0, 0, c.Width, c.Height}, f)
			got := make([]byte, 3*c.Width*c.Height)
			r.run(got, 3*c.Width, &s)
			want := readPNG(t, c.Want)
			require.Equal(t, image.Rect(0, 0, c.Width, c.Height), want.Rect)
			require.Equal(t, rgbOf(want), got)
		})
	}
}

func TestPipelineEqualsTorchvision(t *testing.T) {
	for _, c := range goldens(t).Pipeline {
		t.Run(fmt.Sprintf("%s-%d-%dx%d-%s", c.Input, c.Resize, c.Width, c.Height, c.Interpolation), func(t *testing.T) {
			p, err := New(Spec{Resize: c.Resize, Width: c.Width, Height: c.Height, Interpolation: c.Interpolation, Mean: imagenetMean, Std: imagenetStd})
			require.NoError(t, err)
			got, err := p.RGB(readPNG(t, "inputs/"+c.Input+".png"))
			require.NoError(t, err)
			want := readPNG(t, c.Want)
			require.Equal(t, image.Rect(0, 0, c.Width, c.Height), want.Rect)
			require.Equal(t, rgbOf(want), got)
		})
	}
}

func TestLevelsEqualTorchvision(t *testing.T) {
	data, err := os.ReadFile("testdata/levels.f32")
	require.NoError(t, err)
	require.Len(t, data, 3*256*4)
	got := Spec{Mean: imagenetMean, Std: imagenetStd}.Levels()
	for c := range got {
		for v := range got[c] {
			want := binary.LittleEndian.Uint32(data[4*(256*c+v):])
			require.Equal(t, want, math.Float32bits(got[c][v]), "channel %d level %d: want %v, got %v", c, v, math.Float32frombits(want), got[c][v])
		}
	}
}

func TestOpenTurnsJPEGUpright(t *testing.T) {
	for _, c := range goldens(t).Exif {
		img, err := Open(filepath.Join("testdata", c.File))
		require.NoError(t, err)
		b := img.Bounds()
		require.Equal(t, image.Pt(c.Width, c.Height), b.Size(), c.File)
		centres := [4]image.Point{{b.Dx() / 4, b.Dy() / 4}, {3 * b.Dx() / 4, b.Dy() / 4}, {b.Dx() / 4, 3 * b.Dy() / 4}, {3 * b.Dx() / 4, 3 * b.Dy() / 4}}
		for i, at := range centres {
			rgb := straight(img.At(at.X, at.Y))
			for ch := range rgb { // JPEG decoders may differ by a level or two
				assert.InDelta(t, c.Quadrants[i][ch], int(rgb[ch]), 4, "%s quadrant %d channel %d", c.File, i, ch)
			}
		}
	}
}
