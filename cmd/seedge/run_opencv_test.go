//go:build cgo && gocv_videoio

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frames parses what run --json printed.
func frames(t *testing.T, out string) (all []seen) {
	t.Helper()
	for line := range strings.Lines(out) {
		var s seen
		require.NoError(t, json.Unmarshal([]byte(line), &s), line)
		assert.NotEmpty(t, s.Label)
		assert.Positive(t, s.FPS)
		all = append(all, s)
	}
	return all
}

// failed demands exit status 1 and, behind what OpenCV has to say, our line.
func failed(t *testing.T, errs string, status int, wants ...string) {
	t.Helper()
	assert.Equal(t, 1, status)
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	last := lines[len(lines)-1]
	assert.True(t, strings.HasPrefix(last, "seedge: "), errs)
	for _, w := range wants {
		assert.Contains(t, last, w)
	}
}

// OpenCV opens a picture as a video of one frame.
func TestRunFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one.png"), picture(t, 1, 120, 90))
	out, errs, status := runSeedge(t, dir, "run", "default", "one.png", "--json")
	require.Zero(t, status, errs)
	all := frames(t, out)
	require.Len(t, all, 1)
	// The same picture through another door.
	c := asJSON[[]classified](t, seedge(t, dir, "classify", "default", "one.png", "--json"))
	assert.Equal(t, c[0].Predictions[0].Label, all[0].Label)
	assert.InDelta(t, c[0].Predictions[0].Probability, all[0].Probability, 1e-6)

	write(t, filepath.Join(dir, "bad.avi"), []byte("This is a text file."))
	_, errs, status = runSeedge(t, dir, "run", "default", "bad.avi")
	failed(t, errs, status, "bad.avi")
}

func TestRunMissingCamera(t *testing.T) {
	_, errs, status := runSeedge(t, t.TempDir(), "run", "default", "/dev/video213")
	failed(t, errs, status, "/dev/video213", "not found")
}

// httpCamera serves n pictures and then closes the connection.
func httpCamera(t *testing.T, n int) string {
	img, err := png.Decode(bytes.NewReader(picture(t, 1, 160, 120)))
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
		for range n {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", b.Len(), b.Bytes())
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/cam"
}

func TestRunStream(t *testing.T) {
	url := httpCamera(t, 1<<30)
	out, errs, status := runSeedge(t, t.TempDir(), "run", "default", url, "--frames", "5", "--json")
	require.Zero(t, status, errs)
	assert.Len(t, frames(t, out), 5)
	out, errs, status = runSeedge(t, t.TempDir(), "run", "default", url, "--frames", "3")
	require.Zero(t, status, errs)
	assert.Equal(t, 3, strings.Count(out, "frames/s"))
	assert.Contains(t, errs, "3 frames, ")
}

func TestRunSourceVanishes(t *testing.T) {
	out, errs, status := runSeedge(t, t.TempDir(), "run", "default", httpCamera(t, 30), "--json")
	assert.NotEmpty(t, frames(t, out), "what was seen before is printed")
	failed(t, errs, status, "source lost")
}

func TestRunUnplugged(t *testing.T) {
	lib := filepath.Join(t.TempDir(), "fakev4l.so")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	source := filepath.Join("..", "..", "camera", "testdata", "fakev4l.c")
	build, err := exec.Command(cc, "-shared", "-fPIC", "-O2", "-o", lib, source, "-ldl").CombinedOutput()
	require.NoError(t, err, string(build))
	cmd := program(t, t.TempDir(), "run", "default", "0", "--json")
	cmd.Env = append(cmd.Env, "LD_PRELOAD="+lib, "FAKEV4L_UNPLUG_AFTER=20")
	out, errs, status := finish(t, cmd)
	assert.NotEmpty(t, frames(t, out))
	failed(t, errs, status, "/dev/video0", "source lost")
}

func TestRunInterrupted(t *testing.T) {
	cmd := program(t, t.TempDir(), "run", "default", httpCamera(t, 1<<30))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	n := 0
	for lines.Scan() {
		if n++; n == 5 {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	require.NoError(t, cmd.Wait(), errs.String())
	assert.GreaterOrEqual(t, n, 5)
	assert.Contains(t, errs.String(), fmt.Sprintf("%d frames, ", n))
}

func TestRunProfile(t *testing.T) {
	url := httpCamera(t, 1<<30)
	out, errs, status := runSeedge(t, t.TempDir(), "run", "default", url, "--frames", "60", "--profile", "--json")
	require.Zero(t, status, errs)
	p := asJSON[profiled](t, out)
	assert.Equal(t, 60, p.Frames)
	assert.Positive(t, p.FPS)
	share := 0.0
	for _, s := range p.Stages {
		share += s.Share
	}
	assert.InDelta(t, 1, share, 1e-9)
	require.NotNil(t, p.Allocations)
	assert.Less(t, *p.Allocations, 1.0, "the frame path allocates nothing; the runtime does now and then")
	assert.LessOrEqual(t, p.Latency.P95, p.Latency.Max)

	out, errs, status = runSeedge(t, t.TempDir(), "run", "default", url, "--frames", "3", "--profile")
	require.Zero(t, status, errs)
	for _, want := range []string{"3 frames", "preprocess", "inference", "capture to label", "too few"} {
		assert.Contains(t, out, want)
	}
}

func TestRunReconnects(t *testing.T) {
	out, errs, status := runSeedge(t, t.TempDir(), "run", "default", httpCamera(t, 10), "--frames", "30", "--json", "--reconnect")
	require.Zero(t, status, errs)
	assert.Len(t, frames(t, out), 30)
	assert.Contains(t, errs, "source lost")
}

func TestRunModeFlags(t *testing.T) {
	url := httpCamera(t, 10)
	for _, c := range []struct{ flag, value, want string }{
		{"--size", "640", "--size"}, {"--size", "640x480x2", "--size"}, {"--size", "640x", "--size"},
		{"--size", "640x480", "WithSize"}, {"--rate", "-1", "WithRate"}, {"--rate", "30", "WithRate"}, {"--pixels", "RGB", "WithPixelFormat"},
	} {
		_, errs, status := runSeedge(t, t.TempDir(), "run", "default", url, c.flag, c.value)
		failed(t, errs, status, c.want)
	}
}
