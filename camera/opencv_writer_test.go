//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWriteAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.avi")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o640))
	w, err := NewWriter(path, 12.5, 96, 64)
	require.NoError(t, err)
	for n := range 20 {
		require.NoError(t, w.Write(stripes(n)))
	}
	assert.ErrorIs(t, w.Write(testFrame(t, 64, 96)), ErrWrite, "a frame of another size")
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(old), "before Close the old file is there")
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	assert.ErrorIs(t, w.Write(stripes(0)), ErrClosed)
	w.Abort() // harmless after Close
	onlyFile(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.EqualValues(t, 0o640, info.Mode().Perm(), "the permissions of the file it replaced")

	c := openTest(t, path)
	assert.Equal(t, Info{Source: path, Width: 96, Height: 64, FPS: 12.5, Frames: 20}, c.Info())
	n := 0
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		for _, x := range []int{20, 70} {
			r, g, b, _ := stripes(n).At(x, 30).RGBA()
			got := f.RGBAAt(x, 30)
			assert.InDelta(t, r>>8, got.R, 12)
			assert.InDelta(t, g>>8, got.G, 12)
			assert.InDelta(t, b>>8, got.B, 12)
		}
		n++
	}
	assert.Equal(t, 20, n)
}

func TestWriterOddSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd.avi")
	w, err := NewWriter(path, 29.97, 97, 65)
	require.NoError(t, err)
	require.NoError(t, w.Write(testFrame(t, 97, 65)))
	require.NoError(t, w.Close())
	assert.Equal(t, Info{Source: path, Width: 96, Height: 64, FPS: 29.97, Frames: 1}, openTest(t, path).Info())
}

// onlyFile checks that nothing else is in the folder of path.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, filepath.Base(path), list[0].Name())
}

func TestWriterLeavesNothingHalfDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.avi")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))

	w, err := NewWriter(path, 10, 96, 64)
	require.NoError(t, err)
	assert.ErrorIs(t, w.Close(), ErrWrite, "a video without frames")
	onlyFile(t, path)

	w, err = NewWriter(path, 10, 96, 64)
	require.NoError(t, err)
	require.NoError(t, w.Write(stripes(1)))
	w.Abort()
	w.Abort()
	assert.NoError(t, w.Close())
	onlyFile(t, path)

	old, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(old))
}

// A limit on the size of files stands in for a full disk: both make write(2)
// fail, and OpenCV says nothing of either.
func TestWriterOnAFullDisk(t *testing.T) {
	if inside, _ := child(t); !inside {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	path := filepath.Join(t.TempDir(), "out.avi")
	w, err := NewWriter(path, 10, 320, 240)
	require.NoError(t, err)
	limit := syscall.Rlimit{}
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	limit.Cur = 1 << 20
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	pix := make([]byte, 320*240*3)
	for i := range pix {
		pix[i] = byte(rand.Uint32())
	}
	noise := NewFrame(pix, 320*3, 320, 240) // takes many bytes to code
	for range 60 {
		if err := w.Write(noise); err != nil {
			assert.ErrorIs(t, err, ErrWrite)
		}
	}
	err = w.Close()
	assert.ErrorIs(t, err, ErrWrite)
	assert.ErrorContains(t, err, "disk full")
	list, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Empty(t, list)
}

// stripes is a test picture that survives JPEG.
func stripes(n int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			c := color.RGBA{R: 220, G: 60, B: byte(n * 10), A: 255}
			if x >= 48 {
				c = color.RGBA{R: 20, G: 180, B: byte(n * 10), A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
