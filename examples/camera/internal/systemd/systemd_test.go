package systemd

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
)

// manager listens as systemd does.
func manager(t *testing.T) (next func(patience time.Duration) string) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func(patience time.Duration) string {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		b := make([]byte, 100)
		n, err := conn.Read(b)
		if err != nil {
			return ""
		}
		return string(b[:n])
	}
}

func TestReadyAndStop(t *testing.T) {
	next := manager(t)
	t.Setenv("WATCHDOG_USEC", "")
	n, err := FromEnvironment()
	require.NoError(t, err)
	n.Ready()
	assert.Equal(t, "READY=1", next(10*time.Second))
	require.NoError(t, n.Close())
	assert.Equal(t, "STOPPING=1", next(10*time.Second))
}

// The watchdog hears of progress, and of nothing while there is none.
func TestWatchdog(t *testing.T) {
	next := manager(t)
	t.Setenv("WATCHDOG_PID", "")
	t.Setenv("WATCHDOG_USEC", "200000")
	n, err := FromEnvironment()
	require.NoError(t, err)
	defer n.Close()
	done := make(chan struct{})
	go func() {
		for range 300 {
			n.Observe(nil, nil)
			time.Sleep(time.Millisecond)
		}
		n.Status("", camera.Status{})
		close(done)
	}()
	assert.Equal(t, "WATCHDOG=1", next(10*time.Second))
	<-done
	require.Eventually(t, func() bool { return next(500*time.Millisecond) == "" }, 20*time.Second, time.Millisecond, "without progress the pings end")
	n.Observe(nil, nil)
	time.Sleep(time.Millisecond)
	go func() {
		for range 1000 {
			n.Observe(nil, nil)
			time.Sleep(time.Millisecond)
		}
	}()
	assert.Equal(t, "WATCHDOG=1", next(10*time.Second))
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n, err := FromEnvironment()
	require.NoError(t, err)
	assert.Nil(t, n)
	n.Ready()
	assert.NoError(t, n.Close())
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	_, err = FromEnvironment()
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestWatchdogPeriod(t *testing.T) {
	for usec, want := range map[string]time.Duration{"": 0, "x": 0, "-1": 0, "0": 0, "2000000": 2 * time.Second, "99999999999999999": 0} {
		t.Setenv("WATCHDOG_PID", "")
		t.Setenv("WATCHDOG_USEC", usec)
		assert.Equal(t, want, watchdog(), usec)
	}
	t.Setenv("WATCHDOG_USEC", "2000000")
	t.Setenv("WATCHDOG_PID", "1")
	assert.Zero(t, watchdog(), "it is for another process")
}
