package web

import (
	"bufio"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

const token = "a token; with = odd, characters"

func serve(t *testing.T, change func(*Options)) *Server {
	o := Options{Listen: "127.0.0.1:0", Clients: 2, Cameras: []string{"door", "yard"}, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func get(t *testing.T, s *Server, path string, change func(*http.Request)) (status int, body string, header http.Header) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Address()+path, nil)
	require.NoError(t, err)
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(b), answer.Header
}

// film shows the door frames, each of another grey, until the test ends.
func film(t *testing.T, s *Server) {
	done := make(chan struct{})
	var filming sync.WaitGroup
	filming.Go(func() {
		for n := 0; ; n++ {
			img := image.NewGray(image.Rect(0, 0, 64, 48))
			for i := range img.Pix {
				img.Pix[i] = byte(n * 16)
			}
			s.Observe(&watch.Observation{Camera: "door", Time: time.Now(), Frame: uint64(n), Label: "cat", Probability: 0.9, Changed: n == 0, FPS: 50, Latency: 12}, img)
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		filming.Wait()
	})
}

func TestPage(t *testing.T) {
	s := serve(t, nil)
	for path, want := range map[string]string{"/": "text/html", "/app.js": "javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml"} {
		status, body, header := get(t, s, path, nil)
		assert.Equal(t, 200, status, path)
		assert.NotEmpty(t, body)
		assert.Contains(t, header.Get("Content-Type"), want)
		assert.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
	}
	for _, path := range []string{"/page", "/page/", "/index.html", "/server.go", "/preview/", "/preview/none", "/api/"} {
		status, _, _ := get(t, s, path, nil)
		assert.Equal(t, 404, status, path)
	}
	// A page of another host name that points here is not let in.
	status, _, _ := get(t, s, "/api/cameras", func(r *http.Request) { r.Host = "evil.example" })
	assert.Equal(t, 403, status)
}

func TestCameras(t *testing.T) {
	s := serve(t, nil)
	status, _, _ := get(t, s, "/readyz", nil)
	assert.Equal(t, 503, status)
	for _, name := range []string{"door", "yard", "nobody"} {
		s.Status(name, camera.Status{State: camera.Streaming, Time: time.Now()})
		s.Observe(&watch.Observation{Camera: name, Time: time.Now(), Label: "cat", Changed: true, Latency: 12.5, FPS: 30}, image.NewGray(image.Rect(0, 0, 4, 4)))
	}
	for range 300 {
		s.Observe(&watch.Observation{Camera: "door", Time: time.Now(), Label: "dog", Changed: true}, nil)
	}
	_, body, _ := get(t, s, "/api/cameras", nil)
	var all []snapshot
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	require.Len(t, all, 2)
	assert.Equal(t, "door", all[0].Name)
	assert.Equal(t, "streaming", all[0].State)
	assert.Equal(t, "dog", all[0].Latest.Label)
	assert.Len(t, all[0].History, changes, "bounded")
	assert.Equal(t, sample{12.5, 30}, all[1].Samples[0])
	for path, want := range map[string]int{"/readyz": 200, "/healthz": 200} {
		status, _, _ := get(t, s, path, nil)
		assert.Equal(t, want, status, path)
	}
	s.Status("yard", camera.Status{State: camera.Lost, Time: time.Now()})
	status, body, _ = get(t, s, "/readyz", nil)
	assert.Equal(t, 503, status)
	assert.Contains(t, body, "yard is lost")
	status, _, _ = get(t, s, "/healthz", nil)
	assert.Equal(t, 200, status, "a camera that is away is not this program's fault")
	v := s.views["door"]
	v.mu.Lock()
	v.since, v.latest.Time = time.Now().Add(-time.Hour), time.Now().Add(-time.Hour)
	v.mu.Unlock()
	status, _, _ = get(t, s, "/healthz", nil)
	assert.Equal(t, 503, status, "streaming, and no frame: something is stuck")
}

func TestToken(t *testing.T) {
	s := serve(t, func(o *Options) { o.Token = token })
	for _, wrong := range []string{"", "Bearer ", "Bearer x", "Bearer " + token + "x", token, "Basic " + token} {
		for _, path := range []string{"/api/cameras", "/api/machine", "/preview/door"} {
			status, _, _ := get(t, s, path, func(r *http.Request) { r.Header.Set("Authorization", wrong) })
			assert.Equal(t, 401, status, "%q %s", wrong, path)
		}
	}
	status, _, _ := get(t, s, "/api/cameras", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host = "seedge.local"
	})
	assert.Equal(t, 200, status)
	for _, path := range []string{"/", "/healthz", "/app.js"} {
		status, _, _ := get(t, s, path, nil)
		assert.Equal(t, 200, status, path)
	}
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := http.Client{Jar: jar}
	answer, err := browser.PostForm("http://"+s.Address()+"/login", url.Values{"token": {"wrong"}})
	require.NoError(t, err)
	_ = answer.Body.Close()
	assert.Equal(t, 401, answer.StatusCode)
	answer, err = browser.PostForm("http://"+s.Address()+"/login", url.Values{"token": {token}})
	require.NoError(t, err)
	_ = answer.Body.Close()
	assert.Equal(t, 200, answer.StatusCode)
	answer, err = browser.Get("http://" + s.Address() + "/api/cameras")
	require.NoError(t, err)
	_ = answer.Body.Close()
	assert.Equal(t, 200, answer.StatusCode, "the cookie is as good as the token")
}

// watching opens a preview.
func watching(t *testing.T, s *Server) (pictures *multipart.Reader, leave func()) {
	answer, err := http.Get("http://" + s.Address() + "/preview/door")
	require.NoError(t, err)
	require.Equal(t, 200, answer.StatusCode)
	_, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	require.NoError(t, err)
	return multipart.NewReader(bufio.NewReader(answer.Body), params["boundary"]), func() { _ = answer.Body.Close() }
}

func grey(t *testing.T, pictures *multipart.Reader) uint8 {
	part, err := pictures.NextPart()
	require.NoError(t, err)
	img, err := jpeg.Decode(part)
	require.NoError(t, err)
	assert.Equal(t, image.Rect(0, 0, 64, 48), img.Bounds())
	return color.GrayModel.Convert(img.At(30, 20)).(color.Gray).Y
}

func TestPreviewMoves(t *testing.T) {
	s := serve(t, nil)
	film(t, s)
	one, leave := watching(t, s)
	defer leave()
	two, leave2 := watching(t, s)
	seen := map[uint8]bool{}
	for range 5 {
		seen[grey(t, one)] = true
		grey(t, two)
	}
	assert.Greater(t, len(seen), 2)

	status, body, _ := get(t, s, "/preview/door", nil)
	assert.Equal(t, 503, status, "two clients are the limit")
	assert.Contains(t, body, "too many")
	leave2()
	require.Eventually(t, func() bool { return len(s.slots) == 1 }, 10*time.Second, 10*time.Millisecond, "a client that leaves frees its place")
	three, leave3 := watching(t, s)
	defer leave3()
	grey(t, three)
}

// A browser that connects and never reads stops neither the loop nor the others.
func TestDeadBrowser(t *testing.T) {
	s := serve(t, nil)
	film(t, s)
	dead, err := net.Dial("tcp", s.Address())
	require.NoError(t, err)
	defer dead.Close()
	require.NoError(t, dead.(*net.TCPConn).SetReadBuffer(1024))
	_, err = io.WriteString(dead, "GET /preview/door HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.slots) == 1 }, 10*time.Second, 10*time.Millisecond)
	alive, leave := watching(t, s)
	defer leave()
	for range 10 {
		grey(t, alive)
	}
}

func TestEncoderSleepsWithoutWatchers(t *testing.T) {
	s := serve(t, nil)
	film(t, s)
	pictures, leave := watching(t, s)
	grey(t, pictures)
	leave()
	v := s.views["door"]
	require.Eventually(t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.watchers == 0
	}, 10*time.Second, 10*time.Millisecond)
	v.mu.Lock()
	copied := v.copied
	v.mu.Unlock()
	time.Sleep(3 * previewEvery)
	v.mu.Lock()
	defer v.mu.Unlock()
	assert.Equal(t, copied, v.copied, "nothing is copied for nobody")
}

// Whoever comes in the moment that the last one leaves finds one encoder, and none
// is left when all have gone.
func TestOneEncoder(t *testing.T) {
	before := runtime.NumGoroutine()
	v := newView("door")
	for range 1000 {
		v.enter()
		v.leave()
	}
	// (Eventually would count goroutines of its own.)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
	v.mu.Lock()
	defer v.mu.Unlock()
	assert.False(t, v.encoding)
}

func TestCloseEndsPreviews(t *testing.T) {
	s := serve(t, nil)
	film(t, s)
	pictures, leave := watching(t, s)
	defer leave()
	grey(t, pictures)
	require.NoError(t, s.Close())
	for {
		if _, err := pictures.NextPart(); err != nil {
			break
		}
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := newLimit(inner, 1)
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("a second connection")
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, first.Close())
	_ = first.Close()
	second := <-accepted
	require.NoError(t, l.Close())
	_, more := <-accepted
	assert.False(t, more)
	_ = second.Close()
}

func TestAddressInUse(t *testing.T) {
	s := serve(t, nil)
	_, err := New(Options{Listen: s.Address(), Log: slog.New(slog.DiscardHandler)})
	require.Error(t, err)
	assert.True(t, strings.HasPrefix(err.Error(), "web: "))
}
