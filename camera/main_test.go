//go:build cgo && gocv_videoio

package camera

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests of this build run against OpenCV itself: real decoders, OpenCV's
// real V4L2 code, and servers on this machine.

var scratch string // removed at the end

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "seedge-camera-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// clip returns the path of opencv-doc's video: 795 frames of 768x576 pixels,
// 10 per second.
func clip(t *testing.T) string {
	t.Helper()
	path := filepath.Join(os.Getenv("SEEDGE_OPENCV_DOC"), "vtest.avi")
	if _, err := os.Stat(path); err != nil {
		const help = "needs the video of Debian's opencv-doc: run `make test`, or `make opencv-doc` and set SEEDGE_OPENCV_DOC to the absolute path of build/opencv-doc/data"
		if os.Getenv("SEEDGE_REQUIRE_DATA") == "1" {
			t.Fatal(help)
		}
		t.Skip(help)
	}
	return path
}

// child runs the calling test again in a process of its own, with more in its
// environment, and returns what that process printed. In that process it
// returns true at once, and the test goes on with its body.
func child(t *testing.T, env ...string) (inside bool, output string) {
	t.Helper()
	if os.Getenv("SEEDGE_CAMERA_CHILD") == t.Name() {
		return true, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(append(os.Environ(), "SEEDGE_CAMERA_CHILD="+t.Name(), "GORACE=atexit_sleep_ms=0"), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.NoError(t, err, out.String())
	require.Contains(t, out.String(), "--- PASS: "+t.Name(), "the child did not run the test")
	return false, out.String()
}

var fakeV4L = sync.OnceValues(func() (string, error) {
	lib := filepath.Join(scratch, "fakev4l.so")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", lib, "testdata/fakev4l.c", "-ldl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return lib, nil
})

// pluggedIn runs the calling test again where /dev/video0 is a camera.
func pluggedIn(t *testing.T, env ...string) (inside bool) {
	t.Helper()
	lib, err := fakeV4L()
	require.NoError(t, err)
	inside, _ = child(t, append(env, "LD_PRELOAD="+lib)...)
	return inside
}

func openTest(t *testing.T, source string, opts ...Option) *Camera {
	t.Helper()
	c, err := Open(context.Background(), source, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// evenGrey returns the grey of a frame that is one grey all over, but for the
// noise of JPEG, and -1 for any other.
func evenGrey(f *Frame) int {
	lo, hi := 255, 0
	for _, v := range f.pix {
		lo, hi = min(lo, int(v)), max(hi, int(v))
	}
	if hi-lo > 4 {
		return -1
	}
	return (lo + hi) / 2
}

// noLeaks runs f many times and fails if goroutines, threads, file descriptors or
// memory are left over.
func noLeaks(t *testing.T, times int, f func()) {
	t.Helper()
	for range times/10 + 1 {
		f() // libraries keep what they opened first, and allocators what they got
	}
	goroutines, files, threads, memory := runtime.NumGoroutine(), openFiles(t), countThreads(t), resident(t)
	for range times {
		f()
	}
	// What ends, ends a little later: connections, for one. (Eventually would
	// count goroutines of its own.)
	settled := func() bool { return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files }
	for deadline := time.Now().Add(5 * time.Second); !settled() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "goroutines")
	require.LessOrEqual(t, openFiles(t), files, "open files")
	// Go's runtime starts a thread now and then; they are not one for each turn.
	require.LessOrEqual(t, countThreads(t), threads+8, "threads")
	// One leaked 320x240 picture for each turn would be 220 KiB.
	require.Less(t, resident(t)-memory, 4<<20+times*8<<10, "bytes of memory")
}

func countThreads(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(list)
}

// resident is the memory that this process occupies, without Go's garbage.
func resident(t *testing.T) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(text), &size, &pages)
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

func openFiles(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	n := 0
	for _, e := range list {
		// Go's poller and the like come and go.
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); !strings.HasPrefix(to, "anon_inode:[event") {
			n++
		}
	}
	return n
}

// slowLoop takes four frames of a live source; at each it stays so long that
// the source gives 20 more. The next one must be the last of those or newer,
// not the one that queued first.
func slowLoop(t *testing.T, c *Camera, check func(*Frame)) {
	t.Helper()
	var next, newest, n uint64
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		require.GreaterOrEqual(t, f.Sequence, newest)
		require.Equal(t, next+f.Dropped, f.Sequence, "dropped frames are counted")
		check(f)
		if n++; n == 4 {
			return
		}
		before := f.Clone()
		next, newest = f.Sequence+1, f.Sequence+20
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			c.mu.Lock()
			count := c.stats.Frames
			c.mu.Unlock()
			if count > newest {
				break
			}
			require.True(t, time.Now().Before(deadline), "nobody reads the source while the loop is busy")
		}
		require.Equal(t, before, f, "the frame changed while it was lent")
	}
	t.Fatal("the loop ended")
}
