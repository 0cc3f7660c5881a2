package web

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

//go:embed page
var page embed.FS

const (
	writeTimeout = 10 * time.Second
	aliveFor     = 30 * time.Second // without any frame or change of state until /healthz says so
)

// Options of a Server.
type Options struct {
	Listen  string
	Token   string        // "": everything is open, to this machine
	Clients int           // that watch previews at once
	Cameras []string      // names
	Metrics http.Handler  // at /metrics; nil: none
	Warning func() string // of the machine, "" while all is well; nil: never any
	Log     *slog.Logger
}

// A Server is the page. It is a watch.Sink and a watch.StatusSink.
type Server struct {
	opt   Options
	http  *http.Server
	addr  string
	views map[string]*view
	slots chan struct{} // an element for each preview
	done  chan struct{}
	once  sync.Once
}

// New listens and serves until Close.
func New(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s := &Server{opt: o, addr: l.Addr().String(), views: map[string]*view{}, slots: make(chan struct{}, o.Clients), done: make(chan struct{})}
	for _, name := range o.Cameras {
		s.views[name] = newView(name)
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout, // previews extend it, frame by frame
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := s.http.Serve(newLimit(l, 4*o.Clients+16)); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("web page ended", "error", err)
		}
	}()
	o.Log.Info("web page", "address", "http://"+s.addr)
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.addr }

// Close ends previews and requests, within a second or so.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.done) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		return s.http.Close()
	}
	return nil
}

// Observe implements watch.Sink.
func (s *Server) Observe(o *watch.Observation, img image.Image) {
	if v := s.views[o.Camera]; v != nil {
		v.observe(o, img)
	}
}

// Status implements watch.StatusSink.
func (s *Server) Status(name string, status camera.Status) {
	if v := s.views[name]; v != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.state, v.since = status.State.String(), status.Time
	}
}

func (s *Server) handler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is in the program
	}
	mux := http.NewServeMux()
	for path, name := range map[string]string{"/{$}": "index.html", "/app.js": "app.js", "/style.css": "style.css", "/icon.svg": "icon.svg"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, name) })
	}
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /api/cameras", s.guard(http.HandlerFunc(s.cameras)))
	mux.Handle("GET /api/machine", s.guard(http.HandlerFunc(s.machine)))
	mux.Handle("GET /preview/{camera}", s.guard(http.HandlerFunc(s.preview)))
	if s.opt.Metrics != nil {
		mux.Handle("GET /metrics", s.guard(s.opt.Metrics))
	}
	return s.local(headers(mux))
}

// headers forbids what the page does not need.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) cameras(w http.ResponseWriter, _ *http.Request) {
	all := make([]snapshot, 0, len(s.opt.Cameras))
	for _, name := range s.opt.Cameras {
		all = append(all, s.views[name].snapshot())
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all)
}

// machine is what is wrong with the computer itself.
func (s *Server) machine(w http.ResponseWriter, _ *http.Request) {
	var answer struct {
		Warning string `json:"warning"`
	}
	if s.opt.Warning != nil {
		answer.Warning = s.opt.Warning()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// health says that the cameras' loops move: each has given a frame, or told of
// another attempt, of late.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	for _, v := range s.views {
		v.mu.Lock()
		last := v.since
		if v.any && v.latest.Time.After(last) {
			last = v.latest.Time
		}
		stuck := v.state == camera.Streaming.String() && time.Since(last) > aliveFor
		v.mu.Unlock()
		if stuck {
			http.Error(w, "no frame from "+v.name, http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

// ready says that there is something to see: every camera streams.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	for _, name := range s.opt.Cameras {
		if v := s.views[name].snapshot(); v.State != camera.Streaming.String() || v.Latest == nil {
			http.Error(w, name+" is "+v.State, http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

// preview sends one JPEG after another. A browser that reads slowly gets fewer;
// one that does not read at all is disconnected when its time-out has passed.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	v := s.views[r.PathValue("camera")]
	if v == nil {
		http.Error(w, "no such camera", http.StatusNotFound)
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many previews", http.StatusServiceUnavailable)
		return
	}
	v.enter()
	defer v.leave()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	control := http.NewResponseController(w)
	var before *byte
	for {
		jpeg, next := v.picture()
		if len(jpeg) > 0 && &jpeg[0] != before {
			before = &jpeg[0]
			if control.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(jpeg)); err != nil {
				return
			}
			if _, err := w.Write(append(jpeg[:len(jpeg):len(jpeg)], '\r', '\n')); err != nil {
				return
			}
			if control.Flush() != nil {
				return
			}
		}
		select {
		case <-next:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}
