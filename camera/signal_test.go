//go:build cgo && gocv_videoio && linux

package camera

import (
	"context"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// storm sends every thread of this process the signal with which Go preempts
// threads, over and over, as a busy garbage collector may. The runtime ignores
// those it did not send itself.
func storm(t *testing.T) {
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !over.Load() {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, thread := range threads {
				id, _ := strconv.Atoi(thread.Name())
				_, _, _ = syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(id), uintptr(syscall.SIGURG))
			}
			time.Sleep(500 * time.Microsecond)
		}
	}()
	t.Cleanup(func() {
		over.Store(true)
		<-done
	})
}

func countFrames(t *testing.T, source string, want int) {
	c := openTest(t, source)
	n := 0
	for _, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		if n++; n == want {
			break
		}
	}
	assert.Equal(t, want, n)
}

func TestV4L2SurvivesSignals(t *testing.T) {
	if !pluggedIn(t) {
		return
	}
	storm(t)
	countFrames(t, "0", 50)
}

func TestHTTPSurvivesSignals(t *testing.T) {
	url := camServer(t)
	storm(t)
	countFrames(t, url+"/cam", 50)
}
