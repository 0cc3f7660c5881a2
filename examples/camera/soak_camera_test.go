//go:build cgo && gocv_videoio && matprofile

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kinds of faults of a network camera.
var kinds = []string{
	"stall", // no more pictures, and the connection stays
	"close", // the connections end
	"half",  // of a picture, then the end
	"hang",  // new connections get no answer for a while
	"away",  // nobody listens for a while
}

// faulty is an HTTP camera.
type faulty struct {
	address string
	picture []byte

	mu          sync.Mutex
	server      *http.Server
	ended       chan struct{}
	connections int
	broken      chan struct{} // closed at the next fault
	kind        string        // of the latest
	answers     chan struct{} // closed while new connections get an answer
}

// start listens; a port that was free a moment ago may take a while.
func (f *faulty) start(t *testing.T, address string) {
	if f.picture == nil {
		img := image.NewRGBA(image.Rect(0, 0, 320, 240))
		for i := range 320 * 240 {
			img.Set(i%320, i/320, color.RGBA{uint8(i), uint8(i / 300), 90, 255})
		}
		var b bytes.Buffer
		require.NoError(t, jpeg.Encode(&b, img, nil))
		f.picture, f.broken, f.answers = b.Bytes(), make(chan struct{}), make(chan struct{})
		close(f.answers)
	}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	server, ended := &http.Server{Handler: http.HandlerFunc(f.serve), ReadHeaderTimeout: time.Minute}, make(chan struct{})
	f.mu.Lock()
	f.address, f.server, f.ended = l.Addr().String(), server, ended
	f.mu.Unlock()
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
}

func (f *faulty) stop() {
	_ = f.server.Close()
	<-f.ended
}

func (f *faulty) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.connections
}

// fault breaks what is connected, and returns when all is well again.
func (f *faulty) fault(t *testing.T, kind string, length time.Duration) {
	f.mu.Lock()
	f.kind = kind
	close(f.broken)
	f.broken = make(chan struct{})
	if kind == "hang" {
		f.answers = make(chan struct{})
	}
	f.mu.Unlock()
	switch kind {
	case "hang":
		time.Sleep(length)
		f.mu.Lock()
		close(f.answers)
		f.mu.Unlock()
	case "away":
		f.stop()
		time.Sleep(length)
		f.start(t, f.address)
	case "stall":
		time.Sleep(1500 * time.Millisecond) // longer than the reader's patience
	}
}

func (f *faulty) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	broken, answers := f.broken, f.answers
	f.mu.Unlock()
	select {
	case <-answers:
	case <-r.Context().Done():
		return
	}
	f.mu.Lock()
	f.connections++
	f.mu.Unlock()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	send := func(b []byte) {
		_, _ = fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s", len(f.picture), b)
	}
	for {
		send(f.picture)
		_, _ = fmt.Fprint(w, "\r\n")
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-broken:
			f.mu.Lock()
			kind := f.kind
			f.mu.Unlock()
			switch kind {
			case "stall":
				<-r.Context().Done()
			case "half":
				send(f.picture[:len(f.picture)/2])
			}
			return
		case <-tick.C:
		}
	}
}
