package main

import (
	"errors"
	"image"
	"io"
	"log/slog"
	"net/http"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/examples/camera/internal/metrics"
	"github.com/seedge/seedge/examples/camera/internal/mqtt"
	"github.com/seedge/seedge/examples/camera/internal/systemd"
	"github.com/seedge/seedge/examples/camera/internal/throttle"
	"github.com/seedge/seedge/examples/camera/internal/watch"
	"github.com/seedge/seedge/examples/camera/internal/web"
)

// blank is a picture to try a model with.
var blank = image.NewRGBA(image.Rect(0, 0, 32, 32))

// sinks are all places that observations go to.
type sinks struct {
	all     []watch.Sink
	closers []io.Closer
	ready   func()       // tells the service manager
	failed  func() error // of the sinks without which there is no point in going on
	film    *film        // nil if there is none
}

// openSinks opens what is configured. The sinks are valid, to be closed, also with
// an error.
func openSinks(cfg config.Config, out io.Writer, log *slog.Logger) (*sinks, error) {
	printed := &lines{w: out, changesOnly: cfg.ChangesOnly}
	s := &sinks{all: []watch.Sink{printed}, ready: func() {}, failed: printed.failure}
	if cfg.Clips.Folder != "" {
		r, err := openRecorder(cfg.Clips, log)
		if err != nil {
			return s, err
		}
		s.all, s.closers = append(s.all, r), append(s.closers, r)
	}
	slowed := throttle.Watch(log)
	s.closers = append(s.closers, slowed)
	if cfg.Web.Listen != "" {
		count := metrics.New(cameraNames(cfg))
		page, err := openPage(cfg, count.Handler(), slowed.Warning, log)
		if err != nil {
			return s, err
		}
		s.all, s.closers = append(s.all, count, page), append(s.closers, page)
	}
	if cfg.MQTT.Server != "" {
		p, err := openPublisher(cfg, log)
		if err != nil {
			return s, err
		}
		s.all, s.closers = append(s.all, p), append(s.closers, p)
	}
	if cfg.Film != "" {
		s.film = &film{path: cfg.Film}
		s.all, s.closers = append(s.all, s.film), append(s.closers, s.film)
		s.failed = func() error { return errors.Join(printed.failure(), s.film.failure()) }
	}
	manager, err := systemd.FromEnvironment()
	if err != nil {
		return s, err
	}
	if manager != nil {
		s.all, s.closers, s.ready = append(s.all, manager), append(s.closers, manager), manager.Ready
	}
	if cfg.Show {
		w, err := newScreen()
		if err != nil {
			return s, err
		}
		s.all, s.closers = append(s.all, w), append(s.closers, w)
	}
	return s, nil
}

func cameraNames(cfg config.Config) (names []string) {
	for _, c := range cfg.Cameras {
		names = append(names, c.Name)
	}
	return names
}

// openPage makes the sink for the web page.
func openPage(cfg config.Config, count http.Handler, warning func() string, log *slog.Logger) (*web.Server, error) {
	o := web.Options{Listen: cfg.Web.Listen, Clients: cfg.Web.Clients, Cameras: cameraNames(cfg), Metrics: count, Warning: warning, Log: log}
	if cfg.Web.TokenFile != "" {
		var err error
		if o.Token, err = config.Secret(cfg.Web.TokenFile, 16); err != nil {
			return nil, err
		}
	}
	return web.New(o)
}

// openPublisher makes the sink for MQTT.
func openPublisher(cfg config.Config, log *slog.Logger) (*mqtt.Publisher, error) {
	c := cfg.MQTT
	o := mqtt.Options{
		Username: c.Username, Topic: c.Topic, Discovery: c.Discovery, Interval: c.Interval, Queue: c.Queue,
		Cameras: cameraNames(cfg), Log: log,
	}
	if o.Topic == "" {
		o.Topic = mqtt.DefaultTopic()
	}
	var err error
	if o.Server, err = c.URL(); err != nil {
		return nil, err
	}
	if o.TLS, err = c.TLS(); err != nil {
		return nil, err
	}
	if c.PasswordFile != "" {
		if o.Password, err = config.Secret(c.PasswordFile, 1); err != nil {
			return nil, err
		}
	}
	return mqtt.New(o)
}

func (s *sinks) observe(o *watch.Observation, img image.Image) error {
	for _, sink := range s.all {
		sink.Observe(o, img)
	}
	return s.failed()
}

func (s *sinks) status(name string, status camera.Status) {
	for _, sink := range s.all {
		if to, ok := sink.(watch.StatusSink); ok {
			to.Status(name, status)
		}
	}
}

func (s *sinks) close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
