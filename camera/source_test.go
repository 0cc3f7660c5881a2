package camera

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSource(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	for _, c := range []struct {
		in   string
		want source
	}{
		{"0", source{kind: kindDevice, target: "/dev/video0", name: "/dev/video0"}},
		{"12", source{kind: kindDevice, device: 12, target: "/dev/video12", name: "/dev/video12"}},
		{"/dev/video3", source{kind: kindDevice, device: 3, target: "/dev/video3", name: "/dev/video3"}},
		{"clip.avi", source{kind: kindFile, target: filepath.Join(here, "clip.avi"), name: "clip.avi"}},
		{"/a/b.mp4", source{kind: kindFile, target: "/a/b.mp4", name: "/a/b.mp4"}},
		// What FFmpeg would take for protocols are file names here.
		{"concat:a.avi|b.avi", source{kind: kindFile, target: filepath.Join(here, "concat:a.avi|b.avi"), name: "concat:a.avi|b.avi"}},
		{"12:30.avi", source{kind: kindFile, target: filepath.Join(here, "12:30.avi"), name: "12:30.avi"}},
		// What OpenCV could take for a GStreamer pipeline, too.
		{"videotestsrc ! appsink", source{kind: kindFile, target: filepath.Join(here, "videotestsrc ! appsink"), name: "videotestsrc ! appsink"}},
		{"http://host/x.mjpg", source{kind: kindStream, target: "http://host/x.mjpg", name: "http://host/x.mjpg"}},
		{"RTSP://host:554/x", source{kind: kindStream, target: "RTSP://host:554/x", name: "rtsp://host:554/x"}},
	} {
		got, err := parseSource(c.in)
		require.NoError(t, err, c.in)
		assert.Equal(t, c.want, got, c.in)
	}
}

func TestParseSourceRefuses(t *testing.T) {
	for _, in := range []string{
		"", "a\x00b", "256", "99999999999999999999", "/dev/video4096",
		"ftp://host/x", "file:///etc/passwd", "tcp://host:1", "udp://@239.0.0.1:1234", "v4l2:///dev/video0", "gst://x",
		"http://", "rtsp:///x", "http://host:port/x", "http://host/%zz", "http://ho st/", "http://host/\r\nX: y",
	} {
		_, err := parseSource(in)
		assert.ErrorIs(t, err, ErrSource, "%q", in)
	}
}

func TestNamesHideSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://user:hunter2@host:554/live":                      "rtsp://host:554/live",
		"rtsp://hunter2@host/live":                               "rtsp://host/live",
		"http://host/video?user=u&password=hunter2":              "http://host/video?…",
		"rtsp://host/user=admin&password=hunter2&channel=1/main": "rtsp://host/…/main",
		"rtsp://host/user%3Dadmin_password%3Dhunter2":            "rtsp://host/…",
		"rtsp://user:12/hunter2@host/x":                          "rtsp://…",
		"rtsp://user:p%2Fhunter2@host/x#hunter2":                 "rtsp://host/x",
		"http://[::1]:80/x":                                      "http://[::1]:80/x",
		"https://user:hunter2@host/a;hunter2/b":                  "https://host/…/b",
	} {
		src, err := parseSource(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, src.name)
		assert.Equal(t, in, src.target)
	}
	for _, in := range []string{
		"rtsp://user:hunter2/x@host/y", "rtsp://user:hunter2%@host/", "http://u:hunter2\x7f@host/",
		"ftp://user:hunter2@host/", "rtsp://user:hunter2@/x", "file://user:hunter2@host/x", "rtsp://u:[hunter2@host",
	} {
		_, err := parseSource(in)
		require.Error(t, err, in)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestOpenChecksFiles(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	_, err := Open(ctx, filepath.Join(dir, "missing.avi"))
	assert.ErrorIs(t, err, ErrNotFound)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "missing.avi")

	_, err = Open(ctx, dir)
	assert.ErrorIs(t, err, ErrOpen)

	empty := filepath.Join(dir, "empty.avi")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err = Open(ctx, empty)
	assert.ErrorIs(t, err, ErrOpen)
	assert.ErrorContains(t, err, "empty")

	_, err = Open(ctx, filepath.Join(empty, "x.avi")) // a file is no folder
	assert.ErrorIs(t, err, ErrOpen)

	pipe := filepath.Join(dir, "pipe.avi")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = Open(ctx, pipe)
	assert.ErrorIs(t, err, ErrOpen)
	assert.ErrorContains(t, err, "regular file")
}

func TestOptions(t *testing.T) {
	file := source{kind: kindFile, name: "f"}
	device := source{kind: kindDevice, name: "d"}
	stream := source{kind: kindStream, name: "s"}

	o, err := newOptions(file, nil)
	require.NoError(t, err)
	assert.Equal(t, deliverEvery, o.delivery)
	assert.Equal(t, DefaultReadTimeout, o.readTimeout)
	for _, live := range []source{device, stream} {
		o, err = newOptions(live, nil)
		require.NoError(t, err)
		assert.Equal(t, deliverLatest, o.delivery)
		o, err = newOptions(live, []Option{WithEveryFrame()})
		require.NoError(t, err)
		assert.Equal(t, deliverEvery, o.delivery)
	}
	o, err = newOptions(file, []Option{WithLatestFrame()})
	require.NoError(t, err)
	assert.Equal(t, deliverLatest, o.delivery)

	for name, c := range map[string]struct {
		src source
		opt Option
	}{
		"zero width":       {device, WithSize(0, 480)},
		"negative height":  {device, WithSize(640, -1)},
		"huge":             {device, WithSize(1<<20, 1<<20)},
		"size of a file":   {file, WithSize(640, 480)},
		"size of a stream": {stream, WithSize(640, 480)},
		"no open time":     {file, WithOpenTimeout(0)},
		"negative time":    {file, WithReadTimeout(-time.Second)},
		"endless":          {file, WithReadTimeout(1 << 62)},
	} {
		_, err := newOptions(c.src, []Option{c.opt})
		assert.ErrorIs(t, err, ErrOption, name)
	}
}

func FuzzParseSource(f *testing.F) {
	for _, s := range []string{"0", "/dev/video0", "a.avi", "http://u:p@h/x?y", "rtsp://h/a=b@c", "://", "file:///x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		src, err := parseSource(s)
		if err != nil {
			require.ErrorIs(t, err, ErrSource)
			return
		}
		require.NotEmpty(t, src.name)
		if src.kind == kindFile {
			require.True(t, filepath.IsAbs(src.target))
		}
	})
}
