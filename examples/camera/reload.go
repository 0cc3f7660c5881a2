package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/sdk"
)

// lookEvery is how often the model's file is looked at.
const lookEvery = 2 * time.Second

// A reloader puts another model into a running pipeline.
type reloader struct {
	cfg      config.Config
	pipeline *sdk.Pipeline
	log      *slog.Logger
}

// start waits, in the background, for SIGHUP and for the model's file to change,
// until ctx ends or the returned function is called. That gives back the model
// that is in use then, for the caller to close.
func (r *reloader) start(ctx context.Context) (stop func() *sdk.Model) {
	ctx, cancel := context.WithCancel(ctx)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer signal.Stop(hup)
		r.watch(ctx, hup)
	}()
	return func() *sdk.Model {
		cancel()
		<-done
		return r.pipeline.Swap(nil)
	}
}

func (r *reloader) watch(ctx context.Context, hup <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	before := look(r.cfg.Model)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		case <-tick.C:
			now := look(r.cfg.Model)
			if now == before || now == (version{}) {
				continue // also while a file is away, in the middle of a rename
			}
			before = now
		}
		r.reload()
	}
}

// reload opens the model and swaps it in. A bad one changes nothing.
func (r *reloader) reload() {
	m, err := openModel(r.cfg)
	if err != nil {
		r.log.Error("new model refused; the old one goes on", "error", err)
		return
	}
	old := r.pipeline.Swap(m)
	_ = old.Close() // waits for the frames in its hands
	r.log.Info("model reloaded", "model", r.cfg.Model)
}

// version tells one state of a file from another.
type version struct {
	size     int64
	modified time.Time
}

func look(path string) version {
	info, err := os.Stat(path)
	if err != nil {
		return version{}
	}
	return version{info.Size(), info.ModTime()}
}
