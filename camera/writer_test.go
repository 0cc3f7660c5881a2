package camera

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.avi")
	for name, c := range map[string]struct {
		path          string
		fps           float64
		width, height int
		want          error
	}{
		"container": {filepath.Join(dir, "out.mp4"), 10, 64, 48, ErrOption},
		"no rate":   {path, 0, 64, 48, ErrOption},
		"no width":  {path, 10, 0, 48, ErrOption},
		"height":    {path, 10, 64, 1 << 16, ErrOption},
		"no folder": {filepath.Join(dir, "none", "out.avi"), 10, 64, 48, ErrWrite},
	} {
		_, err := NewWriter(c.path, c.fps, c.width, c.height)
		assert.ErrorIs(t, err, c.want, name)
		assert.ErrorContains(t, err, c.path, name)
	}
	require.NoError(t, os.Mkdir(path, 0o700))
	_, err := NewWriter(path, 10, 64, 48)
	assert.ErrorIs(t, err, ErrWrite)
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, list, 1, "temporary files are left: %v", list)
}

func TestPackBGR(t *testing.T) {
	f := testFrame(t, 5, 3)
	rgba := image.NewRGBA(image.Rect(-1, 2, 6, 9))
	other := image.NewNRGBA(image.Rect(3, 4, 8, 7))
	for y := range 3 {
		for x := range 5 {
			rgba.Set(x+1, y+4, f.At(x, y))
			other.Set(x+3, y+4, f.At(x, y))
		}
	}
	for _, img := range []image.Image{f, rgba.SubImage(image.Rect(1, 4, 6, 7)), other} {
		got := make([]byte, 45)
		packBGR(got, img)
		assert.Equal(t, f.pix, got, "%T", img)
	}
}

func TestWindowNeedsAScreen(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	_, err := NewWindow("test")
	assert.True(t, errors.Is(err, ErrOpen) || errors.Is(err, ErrBuild), "%v", err)
}
