//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFileEveryFrame(t *testing.T) {
	c := openTest(t, clip(t))
	info := c.Info()
	assert.Equal(t, Info{Source: clip(t), Width: 768, Height: 576, FPS: 10, Frames: 795}, info)
	var n uint64
	var colourful bool
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		require.Equal(t, n, f.Sequence)
		require.Zero(t, f.Dropped)
		require.Equal(t, image.Rect(0, 0, 768, 576), f.Bounds())
		colourful = colourful || evenGrey(f) < 0
		n++
	}
	assert.EqualValues(t, 795, n)
	assert.True(t, colourful)
}

func TestFileBreakAndGoOn(t *testing.T) {
	c := openTest(t, clip(t))
	var kept []*Frame
	for range 3 {
		for f, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			kept = append(kept, f.Clone())
			if len(kept)%5 == 0 {
				break
			}
		}
	}
	require.Len(t, kept, 15)
	for i, f := range kept {
		assert.EqualValues(t, i, f.Sequence)
		if i > 0 {
			assert.NotEqual(t, kept[i-1].pix, f.pix, "frames %d and %d are the same", i-1, i)
		}
	}
}

func TestFileNoAllocationPerFrame(t *testing.T) {
	c := openTest(t, clip(t))
	assert.Less(t, mallocs(t, c, 700), uint64(233)) // one per frame would be 700
}

func TestFileNoLeaks(t *testing.T) {
	path := clip(t)
	noLeaks(t, 100, func() {
		c, err := Open(context.Background(), path)
		require.NoError(t, err)
		for _, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			break
		}
		require.NoError(t, c.Close())
	})
}

func TestTruncatedFileEndsEarly(t *testing.T) {
	whole, err := os.ReadFile(clip(t))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "half.avi")
	require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	log, text := logged()
	c := openTest(t, path, log)
	n, err := last(context.Background(), c)
	require.NoError(t, err)
	assert.Greater(t, n, 100)
	assert.Less(t, n, 700)
	assert.Contains(t, text(), "truncated")

	// Cut within the header there is nothing to play.
	require.NoError(t, os.WriteFile(path, whole[:100], 0o600))
	_, err = Open(context.Background(), path)
	assert.ErrorIs(t, err, ErrOpen)
}

func TestFileThatIsNoVideo(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"text.avi":     "This is not a video.\n",
		"pipeline.mp4": "videotestsrc ! appsink",
		"zeros.mkv":    string(make([]byte, 100_000)),
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := Open(context.Background(), path, WithOpenTimeout(5*time.Second))
		assert.ErrorIs(t, err, ErrOpen, name)
		assert.ErrorContains(t, err, name)
	}
}

// A photograph is a video of one frame. It also shows that blue, green and red
// come in this order.
func TestPictureIsOneFrame(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		img.SetRGBA(i%64, i/64, color.RGBA{R: 200, G: 100, B: 30, A: 255})
	}
	path := filepath.Join(t.TempDir(), "12:30 a@b.jpg") // a name that is no protocol
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, jpeg.Encode(f, img, &jpeg.Options{Quality: 100}))
	require.NoError(t, f.Close())
	n := 0
	for f, err := range openTest(t, path).Frames(context.Background()) {
		require.NoError(t, err)
		n++
		pix, _ := f.BGR()
		assert.InDelta(t, 30, pix[0], 4)
		assert.InDelta(t, 100, pix[1], 4)
		assert.InDelta(t, 200, pix[2], 4)
	}
	assert.Equal(t, 1, n)
}

func TestFileCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n, errs := 0, 0
	for f, err := range openTest(t, clip(t)).Frames(ctx) {
		if err != nil {
			assert.ErrorIs(t, err, context.Canceled)
			assert.Nil(t, f)
			errs++
			continue
		}
		if n++; n == 10 {
			cancel()
		}
	}
	assert.Equal(t, 10, n)
	assert.Equal(t, 1, errs)
}
