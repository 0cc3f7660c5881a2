//go:build cgo && gocv_videoio

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/broker"
	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/examples/camera/internal/watch"
	"github.com/seedge/seedge/models"
)

// server is an HTTP camera; each connection gives n pictures and then ends.
func server(t *testing.T, n int) string {
	img := image.NewRGBA(image.Rect(0, 0, 160, 120))
	for i := range 160 * 120 {
		img.Set(i%160, i/160, color.RGBA{uint8(i), uint8(i / 100), 90, 255})
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL + "/cam"
}

// text is a log that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// app runs the application until see has had enough, and returns its log.
func app(t *testing.T, args []string, see func(o watch.Observation, log *text) (enough bool)) string {
	t.Helper()
	cfg, err := config.Parse(append([]string{"--listen", ""}, args...), io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var log text
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, cfg, w, slog.New(slog.NewTextHandler(&log, nil)))
		_ = w.Close()
		ended <- err
	}()
	enough := false
	for s := bufio.NewScanner(r); s.Scan(); {
		if enough {
			continue // it is stopping
		}
		var o watch.Observation
		require.NoError(t, json.Unmarshal(s.Bytes(), &o), s.Text())
		if enough = see(o, &log); enough {
			cancel()
		}
	}
	require.NoError(t, <-ended, log.String())
	require.True(t, enough, "it ended too early: %s", log.String())
	return log.String()
}

func TestTwoCamerasOneOfThemFailing(t *testing.T) {
	seen := map[string]int{}
	var interrupted bool
	log := app(t, []string{"--threshold", "0.05", "good=" + server(t, 1<<30), "bad=" + server(t, 10)}, func(o watch.Observation, _ *text) bool {
		seen[o.Camera]++
		assert.NotEmpty(t, o.Label)
		assert.Positive(t, o.Latency)
		assert.False(t, o.Time.IsZero())
		interrupted = interrupted || o.Camera == "bad" && seen["bad"] > 12
		return interrupted && seen["good"] > 20
	})
	assert.Contains(t, log, "camera lost")
	assert.Contains(t, log, "camera=bad")
}

func TestEvery(t *testing.T) {
	next := uint64(0)
	n := 0
	app(t, []string{"--every", "5", server(t, 1<<30)}, func(o watch.Observation, _ *text) bool {
		assert.GreaterOrEqual(t, o.Frame, next)
		next = o.Frame + 5
		n++
		return n == 5
	})
}

func TestFilesEndIt(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	path := filepath.Join(t.TempDir(), "one.jpg")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, jpeg.Encode(f, img, nil))
	require.NoError(t, f.Close())
	cfg, err := config.Parse([]string{"--listen", "", path}, io.Discard)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), cfg, &out, slog.New(slog.DiscardHandler)))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
}

// -o writes every frame with its label, at the source's rate.
func TestFilm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.avi")
	w, err := camera.NewWriter(path, 10, 64, 48)
	require.NoError(t, err)
	for range 7 {
		require.NoError(t, w.Write(image.NewRGBA(image.Rect(0, 0, 64, 48))))
	}
	require.NoError(t, w.Close())
	film := filepath.Join(t.TempDir(), "out.avi")
	cfg, err := config.Parse([]string{"--listen", "", "-o", film, path}, io.Discard)
	require.NoError(t, err)
	require.NoError(t, run(t.Context(), cfg, io.Discard, slog.New(slog.DiscardHandler)))

	cam, err := camera.Open(t.Context(), film)
	require.NoError(t, err)
	defer cam.Close()
	assert.InDelta(t, 10, cam.Info().FPS, 0.01)
	n, bright := 0, false
	for f, err := range cam.Frames(t.Context()) {
		require.NoError(t, err)
		n++
		for y := range 18 {
			for x := range 64 {
				r, _, _, _ := f.At(x, y).RGBA()
				bright = bright || r > 0x8000
			}
		}
	}
	assert.Equal(t, 7, n)
	assert.True(t, bright, "no label is written on it")

	cfg, err = config.Parse([]string{"--listen", "", "-o", filepath.Join(t.TempDir(), "no", "out.avi"), path}, io.Discard)
	require.NoError(t, err)
	assert.ErrorIs(t, run(t.Context(), cfg, io.Discard, slog.New(slog.DiscardHandler)), camera.ErrWrite)
	_, err = config.Parse([]string{"-o", film, "a=0", "b=1"}, io.Discard)
	assert.ErrorIs(t, err, config.ErrConfig)
}

func TestCannotBegin(t *testing.T) {
	for want, args := range map[string][]string{
		"nonexistent.safetensors": {"--model", "/nonexistent.safetensors", "0"},
		"nonexistent.avi":         {"/nonexistent.avi"},
		"WithSize":                {"--config", filepath.Join("testdata", "size.yaml")},
	} {
		cfg, err := config.Parse(append([]string{"--listen", ""}, args...), io.Discard)
		require.NoError(t, err)
		assert.ErrorContains(t, run(context.Background(), cfg, io.Discard, slog.New(slog.DiscardHandler)), want)
	}
}

// A broken pipe ends it with an error; nothing is left running.
func TestReaderGoesAway(t *testing.T) {
	cfg, err := config.Parse([]string{"--listen", "", server(t, 1<<30)}, io.Discard)
	require.NoError(t, err)
	r, w := io.Pipe()
	_ = r.Close()
	assert.ErrorIs(t, run(context.Background(), cfg, w, slog.New(slog.DiscardHandler)), io.ErrClosedPipe)
}

// A changed model file is taken between two frames, a bad one refused, and SIGHUP
// does the same at once.
func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	put := func(content []byte) {
		require.NoError(t, os.WriteFile(path+".new", content, 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	put(models.Default())
	step := 0
	log := app(t, []string{"--model", path, server(t, 1<<30)}, func(_ watch.Observation, log *text) bool {
		switch {
		case step == 0:
			put([]byte("this is no model"))
			step++
		case step == 1 && strings.Contains(log.String(), "refused"):
			put(models.Default())
			step++
		case step == 2 && strings.Contains(log.String(), "model reloaded"):
			require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
			step++
		case step == 3 && strings.Count(log.String(), "model reloaded") == 2:
			return true
		}
		return false
	})
	assert.NotContains(t, log, "not classified")
}

// The service manager learns that it is ready, and that it stops.
func TestNotifiesTheManager(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	app(t, []string{server(t, 1<<30)}, func(watch.Observation, *text) bool { return true })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	b := make([]byte, 100)
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		n, err := conn.Read(b)
		require.NoError(t, err)
		assert.Equal(t, want, string(b[:n]))
	}
}

func TestClips(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "clips")
	n := 0
	app(t, []string{"--clips", folder, "--threshold", "0.05", "door=" + server(t, 1<<30)}, func(watch.Observation, *text) bool {
		n++
		return n == 30
	})
	found, err := filepath.Glob(filepath.Join(folder, "clip-door-*.avi"))
	require.NoError(t, err)
	assert.Len(t, found, 1)
}

func TestPageOfARunningCamera(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	n := 0
	app(t, []string{"--listen", address, "door=" + server(t, 1<<30)}, func(watch.Observation, *text) bool {
		if n++; n < 5 {
			return false
		}
		answer, err := http.Get("http://" + address + "/readyz")
		require.NoError(t, err)
		_ = answer.Body.Close()
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		answer, err = http.Get("http://" + address + "/api/machine")
		require.NoError(t, err)
		var machine map[string]string
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&machine))
		_ = answer.Body.Close()
		assert.Contains(t, machine, "warning")
		answer, err = http.Get("http://" + address + "/metrics")
		require.NoError(t, err)
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Contains(t, string(b), `seedge_camera_state{camera="door",state="streaming"} 1`)
		return true
	})
}

// What is printed is published too, and the goodbye when it ends.
func TestPublishes(t *testing.T) {
	b := broker.New(t, "")
	n := 0
	log := app(t, []string{"--mqtt", "mqtt://" + b.Address, "--mqtt-topic", "house", "door=" + server(t, 1<<30)}, func(watch.Observation, *text) bool {
		n++
		return n == 10
	})
	assert.Contains(t, log, "mqtt connected")
	kept := b.Retained()
	assert.Equal(t, "offline", kept["house/status"])
	var o watch.Observation
	require.NoError(t, json.Unmarshal([]byte(kept["house/door/result"]), &o))
	assert.Equal(t, "door", o.Camera)
	assert.NotEmpty(t, o.Raw)
	assert.Contains(t, kept, "house/door/state")
	assert.Contains(t, kept, "homeassistant/sensor/house_door/label/config")
}
