//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deviceFrame returns the number, modulo 200, that fakev4l.c has coded into
// the luma of a frame; OpenCV stretches 16..235 to 0..255.
func deviceFrame(t *testing.T, f *Frame) int {
	g := evenGrey(f)
	require.GreaterOrEqual(t, g, 0, "the frame is not of one grey")
	return int(math.Round(float64(g) / 1.164))
}

func TestV4L2(t *testing.T) {
	if !pluggedIn(t) {
		return
	}
	for _, name := range []string{"0", "/dev/video0"} {
		c := openTest(t, name, WithReadTimeout(2*time.Second))
		info := c.Info()
		assert.Equal(t, "/dev/video0", info.Source)
		assert.True(t, info.Live)
		assert.Equal(t, 640, info.Width)
		assert.Equal(t, 480, info.Height)
		first, n := 0, 0
		for f, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			require.Equal(t, image.Rect(0, 0, 640, 480), f.Bounds())
			if n == 0 {
				first = deviceFrame(t, f) - int(f.Sequence)
			}
			// The camera was asked for each frame in turn: none is missing
			// but those that were dropped here, and counted.
			assert.Zero(t, (deviceFrame(t, f)-first-int(f.Sequence))%200)
			if n++; n == 20 {
				break
			}
		}
		require.NoError(t, c.Close())
	}
}

func TestV4L2SlowLoopGetsTheNewest(t *testing.T) {
	if !pluggedIn(t) {
		return
	}
	slowLoop(t, openTest(t, "0"), func(f *Frame) { deviceFrame(t, f) })
}

func TestV4L2Unplugged(t *testing.T) {
	if !pluggedIn(t, "FAKEV4L_UNPLUG_AFTER=20") {
		return
	}
	c := openTest(t, "0", WithEveryFrame())
	n, err := last(context.Background(), c)
	assert.ErrorIs(t, err, ErrLost)
	assert.ErrorContains(t, err, "/dev/video0")
	assert.InDelta(t, 20, n, 1) // OpenCV takes the first one when it opens
	select {
	case <-c.gone:
	case <-time.After(5 * time.Second):
		t.Error("a lost device is released without Close, so that it can be opened again")
	}
}

func TestV4L2Stalls(t *testing.T) {
	t.Parallel()
	if !pluggedIn(t, "FAKEV4L_STALL_AFTER=10", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT=2") {
		return
	}
	// OpenCV waits for 2 s here (10 by default); nobody else has to.
	c := openTest(t, "0", WithReadTimeout(200*time.Millisecond))
	_, err := last(context.Background(), c)
	assert.ErrorIs(t, err, ErrTimeout)
	require.NoError(t, c.Close())
	select {
	case <-c.gone:
		t.Error("the device was released while OpenCV was busy with it")
	default:
	}
	select {
	case <-c.gone:
	case <-time.After(10 * time.Second):
		t.Error("the device is not released when OpenCV returns")
	}
}

func TestV4L2Size(t *testing.T) {
	if !pluggedIn(t) {
		return
	}
	c := openTest(t, "0", WithSize(320, 240))
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds())
		assert.GreaterOrEqual(t, evenGrey(f), 0)
		break
	}
}

func TestV4L2WrongSize(t *testing.T) {
	if !pluggedIn(t, "FAKEV4L_FIXED_SIZE=1") {
		return
	}
	_, err := Open(context.Background(), "0", WithSize(800, 600))
	assert.ErrorIs(t, err, ErrSize)
	assert.ErrorContains(t, err, "800x600")
	assert.ErrorContains(t, err, "640x480")
	// The device is free again.
	openTest(t, "0", WithSize(640, 480))
}

func TestV4L2Modes(t *testing.T) {
	jpeg := filepath.Join(t.TempDir(), "frame.jpg")
	require.NoError(t, os.WriteFile(jpeg, encodeGrey(30, 320, 240), 0o600))
	if !pluggedIn(t, "FAKEV4L_MAX_FPS=60", "FAKEV4L_JPEG="+jpeg) {
		return
	}
	for name, c := range map[string]struct {
		opts []Option
		want error
	}{
		"YUYV":           {[]Option{WithPixelFormat(YUYV), WithSize(320, 240)}, nil},
		"MJPG":           {[]Option{WithPixelFormat(MJPG), WithSize(320, 240)}, nil},
		"MJPG with rate": {[]Option{WithPixelFormat(MJPG), WithSize(320, 240), WithRate(25)}, nil},
		"rate":           {[]Option{WithRate(50)}, nil},
		"too fast":       {[]Option{WithRate(120)}, ErrRate},
		"too large":      {[]Option{WithSize(4000, 3000)}, ErrSize},
	} {
		cam, err := Open(context.Background(), "0", c.opts...)
		if c.want != nil {
			assert.ErrorIs(t, err, c.want, name)
			assert.ErrorContains(t, err, "/dev/video0", name)
			continue
		}
		require.NoError(t, err, name)
		before := time.Time{}
		n := 0
		for f, err := range cam.Frames(context.Background()) {
			require.NoError(t, err)
			if name != "rate" {
				assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds(), name)
			}
			if strings.HasPrefix(name, "MJPG") {
				assert.InDelta(t, 100, evenGrey(f), 2, name)
			}
			assert.True(t, f.Time.After(before) && !f.Time.After(time.Now()), "%s: captured at %v after %v", name, f.Time, before)
			before = f.Time
			if n++; n == 3 {
				break
			}
		}
		require.NoError(t, cam.Close())
	}
}

func TestV4L2WrongPixelFormat(t *testing.T) {
	if !pluggedIn(t) {
		return
	}
	for _, o := range [][]Option{{}, {quickly}} {
		_, err := Open(context.Background(), "0", append(o, WithPixelFormat(MJPG))...)
		assert.ErrorIs(t, err, ErrPixelFormat)
		assert.ErrorContains(t, err, `"YUYV"`)
	}
}

func TestV4L2NoLeaks(t *testing.T) {
	if !pluggedIn(t, "FAKEV4L_FPS=500") {
		return
	}
	noLeaks(t, 1000, func() {
		c, err := Open(context.Background(), "0", WithSize(320, 240))
		require.NoError(t, err)
		for _, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			break
		}
		require.NoError(t, c.Close())
	})
}

// A loop ten times slower than the camera costs no memory.
func TestV4L2SlowLoopIsFlat(t *testing.T) {
	if !pluggedIn(t, "FAKEV4L_FPS=400") {
		return
	}
	c := openTest(t, "0", WithSize(320, 240))
	n, before := 0, 0
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		deviceFrame(t, f)
		if n++; n == 20 {
			before = resident(t)
		}
		if n == 80 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	assert.Greater(t, c.Stats().Dropped, uint64(100))
	// A fifth of the frames that were dropped would be as much.
	assert.Less(t, resident(t)-before, 6<<20)
}

func TestV4L2NoAllocationPerFrame(t *testing.T) {
	if !pluggedIn(t, "FAKEV4L_FPS=500") {
		return
	}
	assert.Less(t, mallocs(t, openTest(t, "0", WithSize(320, 240)), 300), uint64(100)) // one per frame would be 300
}

func TestV4L2Missing(t *testing.T) {
	_, err := Open(context.Background(), "/dev/video213")
	assert.ErrorIs(t, err, ErrNotFound)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "/dev/video213")
}
