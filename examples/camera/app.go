package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/clips"
	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/examples/camera/internal/steady"
	"github.com/seedge/seedge/examples/camera/internal/watch"
	"github.com/seedge/seedge/sdk"
)

// run does what the configuration says until ctx ends or all files have.
func run(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) (err error) {
	model, err := openModel(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = model.Close() }()

	all, err := openSinks(cfg, out, log)
	defer func() { err = errors.Join(err, all.close()) }()
	if err != nil {
		return err
	}
	cams, err := openCameras(ctx, cfg, log, all.status)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer closeCameras(cams)
	if all.film != nil {
		all.film.fps = cams[0].Info().FPS
	}

	from, err := sources(cfg, cams)
	if err != nil {
		return err
	}
	pipeline, err := sdk.NewPipeline(model, from...)
	if err != nil {
		return err
	}
	r := &reloader{cfg: cfg, pipeline: pipeline, log: log}
	watching := r.start(ctx)
	defer func() { model = watching() }()
	all.ready()
	return observe(ctx, cfg, pipeline, all, log)
}

// openModel opens the configured model and tries it, so that one which cannot run
// is refused before it takes the place of another.
func openModel(cfg config.Config) (*sdk.Model, error) {
	// Labels are steadied class by class, so all classes are wanted.
	opts := []sdk.Option{sdk.WithTopK(1 << 30)}
	if cfg.Threads > 0 {
		opts = append(opts, sdk.WithThreads(cfg.Threads), sdk.WithSessions(cfg.Threads))
	}
	m, err := sdk.Open(cfg.Model, opts...)
	if err != nil {
		return nil, err
	}
	if _, err := m.Classify(context.Background(), blank); err != nil {
		_ = m.Close()
		return nil, fmt.Errorf("the model does not run: %w", err)
	}
	return m, nil
}

// observe turns results into observations and hands them to the sinks.
func observe(ctx context.Context, cfg config.Config, p *sdk.Pipeline, to *sinks, log *slog.Logger) error {
	rule := steady.Rule{Time: cfg.Smooth, Threshold: float32(cfg.Threshold), Margin: float32(cfg.Margin)}
	labels := make([]steady.Label, len(cfg.Cameras))
	rates := make([]rate, len(cfg.Cameras))
	for i := range labels {
		labels[i].Rule = rule
	}
	var o watch.Observation
	for r, err := range p.Results(ctx) {
		switch {
		case ctx.Err() != nil:
			continue // asked to stop; the loop ends by itself
		case errors.Is(err, sdk.ErrClosed):
			return err
		case err != nil:
			// The camera has told its own part, and is being opened again.
			if !isCamera(err) {
				log.Warn("frame not classified", "camera", r.Name, "error", err)
			}
			labels[r.Source].Reset()
			continue
		}
		best := r.Predictions[0]
		o = watch.Observation{
			Camera: r.Name, Time: r.Captured, Frame: r.Sequence, Dropped: r.Dropped,
			Raw: name(best.Label, best.Index), RawScore: best.Probability,
			FPS: rates[r.Source].tick(r.Captured), Latency: float64(r.Latency.Microseconds()) / 1000,
		}
		o.Label, o.Probability, o.Changed = labels[r.Source].Add(r.Captured, r.Predictions)
		if err := to.observe(&o, r.Image); err != nil {
			return err
		}
	}
	return nil
}

// isCamera reports whether the camera has logged the error itself.
func isCamera(err error) bool {
	for _, e := range []error{camera.ErrLost, camera.ErrTimeout, camera.ErrOpen, camera.ErrNotFound, camera.ErrFormat, camera.ErrSize, camera.ErrRate, camera.ErrPixelFormat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// rate is a mean of frames per second over the last second or so.
type rate struct {
	last time.Time
	fps  float64
}

func (r *rate) tick(at time.Time) float64 {
	if d := at.Sub(r.last).Seconds(); d > 0 && !r.last.IsZero() {
		part := min(1, d) // of the mean that is this frame's
		r.fps += part * (1/d - r.fps)
		if r.fps == 0 {
			r.fps = 1 / d
		}
	}
	r.last = at
	return r.fps
}

// openRecorder makes the sink for clips.
func openRecorder(c config.Clips, log *slog.Logger) (*clips.Recorder, error) {
	return clips.New(clips.Options{
		Folder: c.Folder, Labels: c.Labels, Before: c.Before, After: c.After, Limit: int64(c.Limit) << 20, Log: log,
	})
}
