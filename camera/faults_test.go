//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quickly is how a camera is reconnected in these tests.
var quickly = WithReconnect(Backoff{First: 20 * time.Millisecond, Max: 200 * time.Millisecond})

// until runs a loop that goes on after errors, until want has its frame. It
// returns the errors. Patience is for a busy machine; nothing is timed.
func until(t *testing.T, c *Camera, want func(*Frame) bool) (faults []error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	next := uint64(0)
	for f, err := range c.Frames(ctx) {
		require.NoError(t, ctx.Err(), "no recovery; faults: %v", faults)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		require.GreaterOrEqual(t, f.Sequence, next)
		next = f.Sequence + 1
		if want(f) {
			return faults
		}
	}
	t.Fatalf("the loop ended: %v", faults)
	return nil
}

// anyIs reports whether one of the errors wraps target.
func anyIs(errs []error, target error) func() bool {
	return func() bool {
		for _, err := range errs {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

func TestV4L2Replugged(t *testing.T) {
	t.Parallel()
	if !pluggedIn(t, "FAKEV4L_UNPLUG_AFTER=20", "FAKEV4L_REPLUG_MS=500") {
		return
	}
	var d diary
	c := openTest(t, "0", quickly, d.option(), WithSize(320, 240), WithEveryFrame())
	faults := until(t, c, func(f *Frame) bool {
		deviceFrame(t, f)
		assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds(), "the size is asked for again")
		return f.Connection == 3
	})
	assert.Condition(t, anyIs(faults, ErrLost))
	assert.Contains(t, fmt.Sprint(d.entries()), ErrNotFound.Error(), "it was away for a while")
	assert.Subset(t, d.states(), []State{Connecting, Streaming, Lost})
	assert.EqualValues(t, 2, c.Stats().Reconnects)
}

func TestV4L2PluggedInLater(t *testing.T) {
	t.Parallel()
	if !pluggedIn(t, "FAKEV4L_UNPLUG_AFTER=3", "FAKEV4L_REPLUG_MS=500") {
		return
	}
	_, err := last(context.Background(), openTest(t, "0"))
	require.ErrorIs(t, err, ErrLost)
	_, err = Open(context.Background(), "0")
	require.ErrorIs(t, err, ErrNotFound)
	until(t, openTest(t, "0", quickly), func(f *Frame) bool { return f.Connection == 1 })
}

// A faultyServer is an HTTP camera. Its first connection, and every second one
// after it, has a fault; those between are well.
func faultyServer(t *testing.T, fault func(w http.ResponseWriter, r *http.Request, send func([]byte, int))) (url string) {
	var connections atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		faulty := connections.Add(1)%2 == 1
		headers := func() { w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame") }
		send := func(b []byte, size int) {
			headers()
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", size)
			_, _ = w.Write(b)
			if len(b) == size {
				fmt.Fprint(w, "\r\n")
			}
			w.(http.Flusher).Flush()
		}
		if faulty {
			fault(w, r, send)
			return
		}
		play(r.Context(), send, 1<<30)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/cam"
}

// play sends so many pictures, 50 a second.
func play(ctx context.Context, send func([]byte, int), n int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range n {
		send(greyJPEG(i), len(greyJPEG(i)))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func TestHTTPRecovers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request, send func([]byte, int))
		want  error
	}{
		"stalls": {func(_ http.ResponseWriter, r *http.Request, send func([]byte, int)) {
			play(r.Context(), send, 10)
			<-r.Context().Done()
		}, ErrTimeout},
		"half a picture": {func(_ http.ResponseWriter, r *http.Request, send func([]byte, int)) {
			play(r.Context(), send, 10)
			send(noisyJPEG()[:len(noisyJPEG())/2], len(noisyJPEG()))
			<-r.Context().Done()
		}, ErrTimeout},
		"closes": {func(_ http.ResponseWriter, r *http.Request, send func([]byte, int)) {
			play(r.Context(), send, 10)
		}, ErrLost},
		"hangs before headers": {func(_ http.ResponseWriter, r *http.Request, _ func([]byte, int)) {
			<-r.Context().Done()
		}, ErrTimeout},
		"out of order": {func(w http.ResponseWriter, _ *http.Request, _ func([]byte, int)) {
			http.Error(w, "booting", http.StatusServiceUnavailable)
		}, ErrOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d diary
			cam := openTest(t, faultyServer(t, c.fault), quickly, d.option(),
				WithReadTimeout(time.Second), WithOpenTimeout(3*time.Second))
			whole := 0
			until(t, cam, func(f *Frame) bool {
				assert.GreaterOrEqual(t, evenGrey(f), 0, "frame %d is not one of the whole pictures", f.Sequence)
				if d.states()[1] == Lost || f.Connection > 1 {
					whole++
				}
				return whole == 10
			})
			var errs []error
			for _, s := range d.entries() {
				if s.Err != nil {
					errs = append(errs, s.Err)
				}
			}
			assert.Condition(t, anyIs(errs, c.want), "%v", errs)
			if name == "stalls" || name == "half a picture" {
				assert.Contains(t, d.states(), Stalled)
			}
		})
	}
}

// listen takes a port of this machine that was in use a moment ago.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var l net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	return l
}

func TestHTTPServerComesBack(t *testing.T) {
	t.Parallel()
	serve := func(address string) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
			play(r.Context(), func(b []byte, size int) {
				fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", size, b)
				w.(http.Flusher).Flush()
			}, 1<<30)
		}))
		_ = s.Listener.Close()
		s.Listener = listen(t, address)
		s.Start()
		return s
	}
	server := serve("127.0.0.1:0")
	address := server.Listener.Addr().String()
	cam := openTest(t, "http://"+address+"/cam", quickly, WithReadTimeout(time.Second), WithOpenTimeout(3*time.Second))
	until(t, cam, func(f *Frame) bool { return f.Sequence > 5 })
	server.CloseClientConnections()
	server.Close()
	back := make(chan *httptest.Server, 1)
	time.AfterFunc(3*time.Second, func() { back <- serve(address) })
	t.Cleanup(func() {
		s := <-back
		s.CloseClientConnections()
		s.Close()
	})
	faults := until(t, cam, func(f *Frame) bool { return f.Connection == 2 })
	assert.Condition(t, anyIs(faults, ErrOpen), "failed attempts are told of: %v", faults)
}

func TestRTSPServerRestarts(t *testing.T) {
	t.Parallel()
	s := rtspCam(t)
	cam := openTest(t, s.url("", "cam"), quickly, WithReadTimeout(time.Second), WithOpenTimeout(5*time.Second))
	until(t, cam, func(f *Frame) bool { return f.Sequence > 5 })
	s.stop()
	require.Eventually(t, func() bool { return cam.Stats().State != Streaming }, 30*time.Second, 10*time.Millisecond)
	rtspCamAt(t, s.port)
	until(t, cam, func(f *Frame) bool { return f.Connection > 1 && evenGrey(f) >= 0 })
}

// A camera that is set to another resolution, as its web page may do at any
// time, goes on with frames of the new one.
func TestHTTPResolutionChanges(t *testing.T) {
	small := encodeGrey(20, 160, 120)
	url := faultyServer(t, func(_ http.ResponseWriter, r *http.Request, send func([]byte, int)) {
		play(r.Context(), send, 20)
		for r.Context().Err() == nil {
			send(small, len(small))
			time.Sleep(20 * time.Millisecond)
		}
	})
	cam := openTest(t, url)
	large := 0
	until(t, cam, func(f *Frame) bool {
		assert.GreaterOrEqual(t, evenGrey(f), 0)
		assert.Len(t, f.pix, f.width*f.height*3)
		if f.Bounds() == image.Rect(0, 0, 320, 240) {
			large++
			return false
		}
		return assert.Equal(t, image.Rect(0, 0, 160, 120), f.Bounds())
	})
	assert.Positive(t, large)
}
