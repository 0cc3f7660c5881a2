//go:build cgo && gocv_videoio

package camera

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// greyJPEG is a picture of one grey, 10 + n % 64 * 3, over all its pixels.
func greyJPEG(n int) []byte { return greyJPEGs()[n%64] }

var greyJPEGs = sync.OnceValue(func() (all [64][]byte) {
	for n := range all {
		all[n] = encodeGrey(n, 320, 240)
	}
	return all
})

func encodeGrey(n, width, height int) []byte {
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = byte(10 + n*3)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// noisyJPEG is a picture whose halves have the same size in bytes, about.
func noisyJPEG() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	seed := uint32(1)
	for i := range img.Pix {
		seed = seed*1664525 + 1013904223
		img.Pix[i] = byte(seed >> 24)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// camServer is an HTTP camera with the habits of real ones. A query n=10 ends
// the stream after ten pictures, and end= says how: by closing (the default),
// "stall", or "half" a picture and then stall.
func camServer(t *testing.T) (url string) {
	release := make(chan struct{})
	hang := func(r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/cam", func(w http.ResponseWriter, r *http.Request) {
		n := 1 << 30
		if s := r.URL.Query().Get("n"); s != "" {
			_, _ = fmt.Sscan(s, &n)
		}
		end := r.URL.Query().Get("end")
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
		send := func(b []byte, size int) bool {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", size)
			_, err := w.Write(b)
			if len(b) == size {
				_, err = fmt.Fprint(w, "\r\n")
			}
			w.(http.Flusher).Flush()
			return err == nil
		}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := range n {
			if b := greyJPEG(i); !send(b, len(b)) {
				return
			}
			<-tick.C
		}
		if strings.HasPrefix(end, "half") {
			b := noisyJPEG()
			send(b[:len(b)/2], len(b))
		}
		if end == "half" || end == "stall" {
			hang(r)
		}
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { hang(r) })
	mux.HandleFunc("/500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) })
	mux.HandleFunc("/401", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="cam"`)
		http.Error(w, "who are you", http.StatusUnauthorized)
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Not a camera</html>") })
	mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "bob" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", `Basic realm="cam"`)
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		r.URL.Path = "/cam"
		mux.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		close(release)
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

const quick = 700 * time.Millisecond

func TestHTTP(t *testing.T) {
	c := openTest(t, camServer(t)+"/cam", WithReadTimeout(5*time.Second))
	assert.True(t, c.Info().Live)
	n, next := 0, uint64(0)
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds())
		assert.Equal(t, next+f.Dropped, f.Sequence)
		assert.InDelta(t, 10+int(f.Sequence)%64*3, evenGrey(f), 2)
		next = f.Sequence + 1
		if n++; n == 30 {
			break
		}
	}
}

func TestHTTPSlowLoopGetsTheNewest(t *testing.T) {
	c := openTest(t, camServer(t)+"/cam")
	slowLoop(t, c, func(f *Frame) {
		assert.InDelta(t, 10+int(f.Sequence)%64*3, evenGrey(f), 2)
	})
}

func TestHTTPEnds(t *testing.T) {
	t.Parallel()
	url := camServer(t)
	for _, c := range []struct {
		end    string
		want   error
		frames int
	}{
		{"", ErrLost, 10},
		{"stall", ErrTimeout, 10},
		// Half a picture and a stall: never delivered as a grey-bottomed whole.
		{"half", ErrTimeout, 10},
		// Nor when the connection is closed within a picture.
		{"halfclose", ErrLost, 10},
	} {
		cam := openTest(t, url+"/cam?n=10&end="+c.end, WithReadTimeout(quick), WithEveryFrame())
		n := 0
		var end error
		for f, err := range cam.Frames(context.Background()) {
			if end = err; err == nil {
				assert.GreaterOrEqual(t, evenGrey(f), 0, "end=%s: frame %d is not one of the whole pictures", c.end, n)
				n++
			}
		}
		assert.ErrorIs(t, end, c.want, c.end)
		assert.Equal(t, c.frames, n, c.end)
	}
}

func TestHTTPDoesNotOpen(t *testing.T) {
	t.Parallel()
	url := camServer(t)
	for path, want := range map[string]error{
		"/500":  ErrOpen,
		"/401":  ErrOpen,
		"/none": ErrOpen,
		"/page": ErrOpen,
		"/hang": ErrTimeout,
	} {
		patience := 10 * time.Second // an answer may be slow on a busy machine
		if want == ErrTimeout {
			patience = quick
		}
		_, err := Open(context.Background(), url+path, WithOpenTimeout(patience))
		assert.ErrorIs(t, err, want, path)
		assert.ErrorContains(t, err, url+path)
	}
}

// deadEnd is a server that takes connections and never says a word.
func deadEnd(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return l.Addr().String()
}

func TestServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	address := deadEnd(t)
	for _, scheme := range []string{"http", "rtsp"} {
		_, err := Open(context.Background(), scheme+"://"+address+"/x", WithOpenTimeout(quick))
		assert.ErrorIs(t, err, ErrTimeout, scheme)

		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err = Open(ctx, scheme+"://"+address+"/x", WithOpenTimeout(quick))
		assert.ErrorIs(t, err, context.DeadlineExceeded, scheme)
		cancel()
	}
}

// While FFmpeg waits for a stalled stream, the loop can be left at once.
func TestHTTPBlockedRead(t *testing.T) {
	t.Parallel()
	url := camServer(t)
	for name, want := range map[string]error{"cancel": context.Canceled, "close": ErrClosed} {
		c := openTest(t, url+"/cam?n=5&end=stall", WithReadTimeout(3*time.Second), WithEveryFrame())
		ctx, cancel := context.WithCancel(context.Background())
		var frames atomic.Int32
		ended := make(chan error, 1)
		go func() {
			var end error
			for _, err := range c.Frames(ctx) {
				if end = err; err == nil {
					frames.Add(1)
				}
			}
			ended <- end
		}()
		require.Eventually(t, func() bool { return frames.Load() == 5 }, 5*time.Second, time.Millisecond)
		if name == "close" {
			require.NoError(t, c.Close())
			select {
			case <-c.gone:
			default:
				t.Error("Close returned before the read did, although that has a time-out")
			}
		} else {
			cancel()
		}
		assert.ErrorIs(t, <-ended, want)
		cancel()
	}
}

func TestHTTPNoLeaks(t *testing.T) {
	url := camServer(t)
	noLeaks(t, 10, func() {
		c, err := Open(context.Background(), url+"/cam?n=10")
		require.NoError(t, err)
		for _, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			break
		}
		require.NoError(t, c.Close())
		http.DefaultClient.CloseIdleConnections()
	})
}

func TestPasswordWorksAndStaysSecret(t *testing.T) {
	t.Parallel()
	inside, output := child(t)
	if !inside {
		// The child's output holds what OpenCV and FFmpeg say by themselves.
		assert.NotContains(t, output, "hunter2")
		assert.NotContains(t, output, "aHVudGVyMg") // its base64
		assert.Contains(t, output, "camera opened")
		return
	}
	url := camServer(t)
	secret := strings.Replace(url, "http://", "http://bob:hunter2@", 1)
	log, text := logged()
	c := openTest(t, secret+"/secret?n=5&token=hunter2", log, WithReadTimeout(quick))
	_, err := last(context.Background(), c)
	require.ErrorIs(t, err, ErrLost)
	t.Log(err, c.Info().Source)
	for _, bad := range []string{
		secret + "/401?key=hunter2", secret + "/500?key=hunter2", secret + "/page", secret + "/hang",
		"rtsp://bob:hunter2@" + deadEnd(t) + "/x", "rtsp://bob:hunter2@127.0.0.1:1/x", "rtsp://bob:hunter2@" + strings.TrimPrefix(url, "http://") + "/x",
		"https://bob:hunter2@" + strings.TrimPrefix(url, "http://") + "/x", "http://bob:hunter2@host.invalid/x",
		rtspCam(t).url("bob:hunter2@", "missing?token=hunter2"),
	} {
		_, err := Open(context.Background(), bad, log, WithOpenTimeout(300*time.Millisecond))
		require.Error(t, err)
		t.Log(err)
	}
	again := openTest(t, secret+"/500?key=hunter2", log, quickly, WithStatus(func(s Status) { t.Log(s) }))
	for _, err := range again.Frames(context.Background()) {
		t.Log(err)
		if strings.Count(text(), "camera connecting")+strings.Count(text(), "camera lost") > 0 {
			break
		}
	}
	require.NoError(t, again.Close())
	t.Log(text())
}

func TestHTTPNoAllocationPerFrame(t *testing.T) {
	// The server is in this process, too, so it is one that allocates nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	b := greyJPEG(7)
	part := fmt.Appendf(nil, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, err = conn.Write([]byte("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"))
		for err == nil {
			time.Sleep(5 * time.Millisecond)
			_, err = conn.Write(part)
		}
	}()
	c := openTest(t, "http://"+l.Addr().String()+"/cam")
	assert.Less(t, mallocs(t, c, 300), uint64(100)) // one per frame would be 300
}
