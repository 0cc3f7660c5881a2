//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"image"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pipeline of the Raspberry Pi runs through OpenCV's GStreamer backend with
// a test picture in the place of the one element that needs the camera.
func TestCSIThroughGStreamer(t *testing.T) {
	t.Parallel()
	src, err := parseSource("rpi:0")
	require.NoError(t, err)
	o, err := newOptions(src, []Option{WithSize(320, 240), WithRate(30), WithReadTimeout(20 * time.Second), WithOpenTimeout(20 * time.Second)})
	require.NoError(t, err)
	o.csiHead = "videotestsrc pattern=blue is-live=true"
	c, err := open(context.Background(), src, o, openCapture)
	if err != nil && os.Getenv("SEEDGE_REQUIRE_DATA") != "1" {
		t.Skipf("needs Debian's gstreamer1.0-plugins-base: %v", err)
	}
	require.NoError(t, err)
	defer c.Close()
	n := 0
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds())
		pix, _ := f.BGR()
		assert.Greater(t, pix[0], byte(200), "blue comes first")
		assert.Less(t, pix[2], byte(50))
		if n++; n == 10 {
			break
		}
	}
	assert.Equal(t, Info{Source: "rpi:0", Live: true, Width: 320, Height: 240, FPS: 30}, c.Info())
}

// A plugin that is missing is named, at once.
func TestCSIPluginMissing(t *testing.T) {
	t.Setenv("GST_PLUGIN_PATH", t.TempDir())
	src := source{kind: kindCSI, name: "jetson:0", target: "0", preset: presetJetson}
	err := checkPlugins(src, []gstPlugin{{"thatnobodyhas", "nowhere"}})
	assert.ErrorIs(t, err, ErrBuild)
	assert.ErrorContains(t, err, "libgstthatnobodyhas.so")
	assert.ErrorContains(t, err, "nowhere")
	if checkPlugins(src, plugins(presetJetson)[:1]) == nil {
		t.Skip("this is a Jetson")
	}
	_, err = Open(context.Background(), "jetson:0")
	assert.ErrorIs(t, err, ErrBuild)
	assert.ErrorContains(t, err, "nvidia-l4t-gstreamer")
}
