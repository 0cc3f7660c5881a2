package config

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "camera.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const example = `
model: int8.safetensors
threshold: 0.6
smooth: 250ms
cameras:
  - name: door
    source: rtsp://bob:hunter2@door.local/stream
    region: [10, 20, 300, 200]
  - source: /dev/video0
    size: 640x480
    rate: 30
    pixels: MJPG
clips: {folder: /var/lib/seedge, labels: [cat], before: 5s, limit_mb: 100}
web: {listen: "0.0.0.0:8080", token_file: /etc/seedge/token}
`

func TestParse(t *testing.T) {
	c, err := Parse([]string{"--config", write(t, example), "--threshold", "0.7", "--listen", ""}, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, "int8.safetensors", c.Model)
	assert.Equal(t, 0.7, c.Threshold, "flags stand above the file")
	assert.Equal(t, 250*time.Millisecond, c.Smooth)
	assert.Equal(t, 1, c.Every, "what is not said has its default")
	assert.Empty(t, c.Web.Listen)
	require.Len(t, c.Cameras, 2)
	assert.Equal(t, "camera2", c.Cameras[1].Name)
	r, err := c.Cameras[0].Part()
	require.NoError(t, err)
	assert.Equal(t, image.Rect(10, 20, 310, 220), r)
	w, h, err := c.Cameras[1].Dimensions()
	require.NoError(t, err)
	assert.Equal(t, []int{640, 480}, []int{w, h})
	assert.Equal(t, Clips{Folder: "/var/lib/seedge", Labels: []string{"cat"}, Before: 5 * time.Second, After: 3 * time.Second, Limit: 100}, c.Clips)

	c, err = Parse([]string{"--region", "1,2,3,4", "door=/dev/video0", "http://host/x?a=b", "a=b.avi"}, &bytes.Buffer{})
	require.NoError(t, err)
	require.Len(t, c.Cameras, 3)
	assert.Equal(t, Camera{Name: "door", Source: "/dev/video0", Region: []int{1, 2, 3, 4}}, c.Cameras[0])
	assert.Equal(t, "http://host/x?a=b", c.Cameras[1].Source)
	assert.Equal(t, "camera2", c.Cameras[1].Name)
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	_, err := Parse([]string{"--help"}, &out)
	assert.ErrorIs(t, err, ErrHelp)
	assert.Contains(t, out.String(), "usage: camera")
	assert.Contains(t, out.String(), "-threshold")
}

func TestRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"no camera":       {},
		"flag provided":   {"--speed", "9", "0"},
		"threshold is 2":  {"--threshold", "2", "0"},
		"threshold is Na": {"--threshold", "NaN", "0"},
		"every is 0":      {"--every", "0", "0"},
		"smooth is -1s":   {"--smooth", "-1s", "0"},
		"two cameras":     {"a=0", "a=1"},
		"no source":       {"a="},
		"token_file":      {"--listen", "0.0.0.0:80", "0"},
		"token_fil":       {"--listen", ":80", "0"},
		"host:port":       {"--listen", "localhost", "0"},
		"x,y,width":       {"--region", "1,2", "--region", "a", "0"},
		"region is [1 2]": {"--region", "1,2", "0"},
		"no such file":    {"--config", "/nonexistent/camera.yaml"},
	} {
		_, err := Parse(args, &bytes.Buffer{})
		assert.ErrorContains(t, err, want, "%v", args)
	}
	for want, text := range map[string]string{
		"field colour":   "colour: red\ncameras: [{source: '0'}]",
		"document":       "model: a\n---\nmodel: b\n",
		"cannot unmarsh": "every: many",
		"size is":        "cameras: [{source: '0', size: big}]",
		"named \"a b\"":  "cameras: [{name: a b, source: '0'}]",
		"limit_mb is 0":  "clips: {limit_mb: 0}\ncameras: [{source: '0'}]",
	} {
		_, err := Parse([]string{"--config", write(t, text)}, &bytes.Buffer{})
		assert.ErrorContains(t, err, want, text)
		assert.ErrorIs(t, err, ErrConfig, text)
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, "127.8.9.1:80": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "192.168.1.2:80": false, "host:80": false,
	} {
		assert.Equal(t, want, Web{Listen: listen}.Loopback(), listen)
	}
}

func TestSecret(t *testing.T) {
	s, err := Secret(write(t, "  0123456789abcdef \nrest"), 16)
	require.NoError(t, err)
	assert.Equal(t, "0123456789abcdef", s)
	_, err = Secret(write(t, "short"), 16)
	assert.ErrorIs(t, err, ErrConfig)
	assert.NotContains(t, err.Error(), "short")
	_, err = Secret("/nonexistent", 1)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// No error and no print of a configuration shows a password.
func TestErrorsHideSources(t *testing.T) {
	_, err := Parse([]string{"a=rtsp://bob:hunter2@x/y", "a=rtsp://bob:hunter2@x/z"}, &bytes.Buffer{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}
