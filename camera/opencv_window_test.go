//go:build cgo && gocv_videoio && gocv_highgui

package camera

import (
	"image"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWindow(t *testing.T) {
	if os.Getenv("DISPLAY") == "" {
		t.Skip("there is no screen; xvfb-run lends one")
	}
	runtime.LockOSThread()
	w, err := NewWindow("Seedge test")
	require.NoError(t, err)
	for n := range 5 {
		key, err := w.Show(stripes(n), 20*time.Millisecond)
		require.NoError(t, err)
		assert.Equal(t, -1, key)
	}
	_, err = w.Show(testFrame(t, 33, 21), 0) // another size
	require.NoError(t, err)
	_, err = w.Show(image.NewRGBA(image.Rectangle{}), 0)
	assert.ErrorIs(t, err, ErrFormat)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	_, err = w.Show(stripes(0), 0)
	assert.ErrorIs(t, err, ErrClosed)
}
