//go:build cgo && gocv_videoio && matprofile

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

var (
	minutes = flag.Float64("minutes", 2, "how long the soak lasts")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of its random faults")
)

const (
	patience = 30 * time.Second // for a frame after a fault
	mostGain = 8 << 20          // bytes of memory that may be more at the end: allocators are not exact
)

// TestSoak (make soak MINUTES=n) runs the application with a network camera that
// fails at random, a device that is unplugged again and again, and files, half of
// them truncated, while a browser comes and goes.
func TestSoak(t *testing.T) {
	if os.Getenv("SEEDGE_SOAK_CHILD") == "" {
		withDevice(t)
		return
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	t.Logf("seed %d", *seed)
	whole, cut := videos(t)
	var playing sync.WaitGroup
	file(t, cut) // libraries keep what they opened first
	before := count(t)

	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(*minutes*float64(time.Minute)))
	defer cancel()
	s := &soak{}
	server := &faulty{}
	server.start(t, "127.0.0.1:0")
	page := freeAddress(t)
	cfg, err := config.Parse([]string{"--listen", page, "--every", "2", "net=http://" + server.address + "/cam", "usb=/dev/video0"}, io.Discard)
	require.NoError(t, err)
	for i := range cfg.Cameras {
		cfg.Cameras[i].ReadTimeout, cfg.Cameras[i].OpenTimeout = time.Second, 2*time.Second
	}
	r, w := io.Pipe()
	appDone, appStop := context.WithCancel(context.Background())
	playing.Go(func() {
		assert.NoError(t, run(appDone, cfg, w, slog.New(slog.NewTextHandler(s, nil))))
		_ = w.Close()
	})
	playing.Go(func() { s.read(t, r) })
	require.True(t, s.frameAfter("net", time.Now()) && s.frameAfter("usb", time.Now()), "the cameras do not begin: %s", s.text())

	playing.Go(func() { // films, half of them truncated
		for n := 0; ctx.Err() == nil; n++ {
			if n%2 == 0 {
				assert.Equal(t, 40, file(t, whole), "795 frames, each twentieth")
			} else {
				got := file(t, cut)
				assert.True(t, got > 0 && got < 40, "%d of half a file", got)
			}
			s.add("file", 1)
			pause(ctx, 3*time.Second)
		}
	})
	playing.Go(func() { // a browser
		for ctx.Err() == nil {
			s.add("previews", glance(ctx, "http://"+page+"/preview/net"))
		}
	})
	playing.Go(func() { s.measure(ctx, t) })

	faults := map[string]int{}
	for ctx.Err() == nil {
		pause(ctx, time.Duration(500+random.IntN(2500))*time.Millisecond)
		kind := kinds[random.IntN(len(kinds))]
		connections := server.count()
		server.fault(t, kind, time.Duration(200+random.IntN(2000))*time.Millisecond)
		faults[kind]++
		if !assert.True(t, s.eventually(func() bool { return server.count() > connections }), "not opened again after %s: %s", kind, s.text()) {
			break
		}
		if !assert.True(t, s.frameAfter("net", time.Now()), "no frame after %s: %s", kind, s.text()) {
			break
		}
		if !assert.True(t, s.usbReturns(), "no frame after the device was plugged in again: %s", s.text()) {
			break
		}
	}
	cancel()
	appStop()
	playing.Wait()
	server.stop()

	s.report(t, faults, before)
	assert.Positive(t, s.counts["lost"], "the device was never unplugged")
	assert.Positive(t, s.counts["previews"], "the browser saw nothing")
}

// withDevice runs the test again where /dev/video0 is a camera that is unplugged
// every few seconds.
func withDevice(t *testing.T) {
	lib := filepath.Join(t.TempDir(), "fakev4l.so")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-shared", "-fPIC", "-O2", "-o", lib, "../../camera/testdata/fakev4l.c", "-ldl").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(os.Args[0], append(os.Args[1:], "-test.run=^TestSoak$", fmt.Sprintf("-seed=%d", *seed))...)
	cmd.Env = append(os.Environ(), "SEEDGE_SOAK_CHILD=1", "LD_PRELOAD="+lib, "FAKEV4L_FPS=25",
		// What malloc keeps for each of many threads would look like growth.
		"MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=65536", "MALLOC_TRIM_THRESHOLD_=65536",
		fmt.Sprintf("FAKEV4L_UNPLUG_AFTER=%d", 80+*seed%80), fmt.Sprintf("FAKEV4L_REPLUG_MS=%d", 300+*seed%900))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	require.NoError(t, cmd.Run(), "the soak failed")
}

// videos are opencv-doc's and the first half of it.
func videos(t *testing.T) (whole, cut string) {
	whole = filepath.Join(os.Getenv("SEEDGE_OPENCV_DOC"), "vtest.avi")
	b, err := os.ReadFile(whole)
	require.NoError(t, err, "run `make soak`")
	cut = filepath.Join(t.TempDir(), "cut.avi")
	require.NoError(t, os.WriteFile(cut, b[:len(b)/2], 0o600))
	return whole, cut
}

// file runs the application on a video to its end, and counts the results.
func file(t *testing.T, path string) int {
	cfg, err := config.Parse([]string{"--listen", "", "--every", "20", path}, io.Discard)
	if !assert.NoError(t, err) {
		return 0
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	assert.NoError(t, run(ctx, cfg, &out, slog.New(slog.DiscardHandler)), path)
	assert.NoError(t, ctx.Err(), "%s does not end", path)
	return strings.Count(out.String(), "\n")
}

// glance looks at the preview for a moment.
func glance(ctx context.Context, url string) (seen int) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		pause(ctx, 100*time.Millisecond)
		return 0
	}
	defer answer.Body.Close()
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return seen
		}
		if strings.HasPrefix(line, "--frame") {
			seen++
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// soak is what has been seen so far. As a writer it is the application's log.
type soak struct {
	mu     sync.Mutex
	log    []string // the last lines
	frames map[string]time.Time
	counts map[string]int
	lost   time.Time // the device, which has not returned; zero: it has
	memory []point
	mats   int // the most at once
}

type point struct{ minutes, bytes float64 }

func (s *soak) Write(p []byte) (int, error) {
	line := string(p)
	s.mu.Lock()
	if s.log = append(s.log, line); len(s.log) > 40 {
		s.log = append(s.log[:0], s.log[1:]...)
	}
	lost := strings.Contains(line, `msg="camera lost"`) && strings.Contains(line, "camera=usb") && strings.Contains(line, "was=streaming")
	if lost && s.lost.IsZero() {
		s.lost = time.Now()
	}
	s.mu.Unlock()
	if lost {
		s.add("lost", 1)
	}
	return len(p), nil
}

func (s *soak) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, "")
}

func (s *soak) add(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[what] += n
}

// read takes the application's results, until there are no more.
func (s *soak) read(t *testing.T, from io.Reader) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		var o watch.Observation
		if !assert.NoError(t, json.Unmarshal(lines.Bytes(), &o), lines.Text()) {
			continue
		}
		s.add(o.Camera, 1)
		s.mu.Lock()
		if s.frames == nil {
			s.frames = map[string]time.Time{}
		}
		s.frames[o.Camera] = o.Time
		if o.Camera == "usb" && o.Time.After(s.lost) {
			s.lost = time.Time{}
		}
		s.mu.Unlock()
	}
}

// eventually asks until it is so.
func (s *soak) eventually(so func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		ok := so()
		s.mu.Unlock()
		if ok {
			return true
		}
	}
	return false
}

func (s *soak) frameAfter(camera string, at time.Time) bool {
	return s.eventually(func() bool { return s.frames[camera].After(at) })
}

func (s *soak) usbReturns() bool { return s.eventually(func() bool { return s.lost.IsZero() }) }

// measure notes memory each second, after a quarter of the time.
func (s *soak) measure(ctx context.Context, t *testing.T) {
	begin := time.Now()
	profile := mats(t)
	for pause(ctx, time.Duration(*minutes/4*float64(time.Minute))); ctx.Err() == nil; pause(ctx, time.Second) {
		now := point{time.Since(begin).Minutes(), resident(t)}
		s.mu.Lock()
		if len(s.memory)%10 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			threads, _ := filepath.Glob("/proc/self/task/*")
			t.Logf("after %.1f minutes: %.1f MiB, of which Go's heap %.1f, %d threads", now.minutes, now.bytes/(1<<20), float64(m.HeapInuse)/(1<<20), len(threads))
		}
		s.memory, s.mats = append(s.memory, now), max(s.mats, profile.Count())
		s.mu.Unlock()
	}
}

// report prints what was, and asserts what must be.
func (s *soak) report(t *testing.T, faults map[string]int, before [3]int) {
	t.Logf("faults of the network camera, a frame after each: %v", faults)
	t.Logf("the device unplugged %d times; frames: net %d, usb %d; %d videos; %d previews", s.counts["lost"], s.counts["net"], s.counts["usb"], s.counts["file"], s.counts["previews"])
	if assert.Greater(t, len(s.memory), 2, "too short to measure memory") {
		slope, first, last := fit(s.memory)
		t.Logf("memory: %.1f to %.1f MiB on the fitted line, slope %+.3f MiB a minute", first/(1<<20), last/(1<<20), slope/(1<<20))
		assert.Less(t, last-first, float64(mostGain), "memory grows")
	}
	http.DefaultClient.CloseIdleConnections()
	after := count(t)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && (after[0] > before[0] || after[1] > before[1] || after[2] > before[2]); time.Sleep(100 * time.Millisecond) {
		after = count(t)
	}
	t.Logf("goroutines %d, before %d; Mats %d, before %d, at most %d; open files %d, before %d", after[0], before[0], after[1], before[1], s.mats, after[2], before[2])
	assert.Positive(t, s.mats, "Mats are not counted")
	assert.LessOrEqual(t, after[1], before[1], "Mats are left over")
	assert.LessOrEqual(t, after[2], before[2], "open files are left over")
	if !assert.LessOrEqual(t, after[0], before[0], "goroutines are left over") {
		_ = pprof.Lookup("goroutine").WriteTo(os.Stdout, 1)
	}
}

// fit is the line of least squares through the points.
func fit(points []point) (slope, first, last float64) {
	var mx, my, xx, xy float64
	for _, p := range points {
		mx, my = mx+p.minutes/float64(len(points)), my+p.bytes/float64(len(points))
	}
	for _, p := range points {
		xx, xy = xx+(p.minutes-mx)*(p.minutes-mx), xy+(p.minutes-mx)*(p.bytes-my)
	}
	slope = xy / xx
	return slope, my + slope*(points[0].minutes-mx), my + slope*(points[len(points)-1].minutes-mx)
}

// mats is gocv's profile of those that are open; the build tag matprofile has it.
func mats(t *testing.T) *pprof.Profile {
	p := pprof.Lookup("gocv.io/x/gocv.Mat")
	require.NotNil(t, p, "run `make soak`")
	return p
}

// count is goroutines, Mats and open files.
func count(t *testing.T) [3]int {
	files, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	return [3]int{runtime.NumGoroutine(), mats(t).Count(), len(files)}
}

// resident is the memory that this process occupies, without Go's garbage.
func resident(t *testing.T) float64 {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	assert.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(text), &size, &pages)
	assert.NoError(t, err)
	return float64(pages * os.Getpagesize())
}
