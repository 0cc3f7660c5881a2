package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/config"
	"github.com/seedge/seedge/sdk"
)

// openCameras opens all cameras at once: one that is away takes its time-out.
func openCameras(ctx context.Context, cfg config.Config, log *slog.Logger, tell func(name string, s camera.Status)) ([]*camera.Camera, error) {
	cams := make([]*camera.Camera, len(cfg.Cameras))
	errs := make([]error, len(cams))
	var all sync.WaitGroup
	for i, c := range cfg.Cameras {
		all.Go(func() { cams[i], errs[i] = openCamera(ctx, c, log, tell) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		closeCameras(cams)
		return nil, err
	}
	return cams, nil
}

func openCamera(ctx context.Context, c config.Camera, log *slog.Logger, tell func(name string, s camera.Status)) (*camera.Camera, error) {
	opts := []camera.Option{
		camera.WithReconnect(camera.Backoff{}),
		camera.WithLogger(log.With("camera", c.Name)),
		camera.WithStatus(func(s camera.Status) { tell(c.Name, s) }),
	}
	if w, h, err := c.Dimensions(); err != nil {
		return nil, err
	} else if w > 0 {
		opts = append(opts, camera.WithSize(w, h))
	}
	if c.Rate != 0 {
		opts = append(opts, camera.WithRate(c.Rate))
	}
	if c.Pixels != "" {
		opts = append(opts, camera.WithPixelFormat(camera.PixelFormat(strings.ToUpper(c.Pixels))))
	}
	if c.ReadTimeout != 0 {
		opts = append(opts, camera.WithReadTimeout(c.ReadTimeout))
	}
	if c.OpenTimeout != 0 {
		opts = append(opts, camera.WithOpenTimeout(c.OpenTimeout))
	}
	return camera.Open(ctx, c.Source, opts...)
}

// closeCameras closes them at once, so that those which hang do so together.
func closeCameras(cams []*camera.Camera) {
	var all sync.WaitGroup
	for _, c := range cams {
		if c != nil {
			all.Go(func() { _ = c.Close() })
		}
	}
	all.Wait()
}

// sources are the cameras as the pipeline's.
func sources(cfg config.Config, cams []*camera.Camera) ([]sdk.Source, error) {
	var all []sdk.Source
	for i, c := range cfg.Cameras {
		s := sdk.From(c.Name, everyNth(cams[i], uint64(cfg.Every)))
		var err error
		if s.Region, err = c.Part(); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// everyNth leaves out all but each n-th frame that the source gave.
func everyNth(cam *camera.Camera, n uint64) func(context.Context) iter.Seq2[*camera.Frame, error] {
	return func(ctx context.Context) iter.Seq2[*camera.Frame, error] {
		return func(yield func(*camera.Frame, error) bool) {
			next := uint64(0)
			for f, err := range cam.Frames(ctx) {
				if err == nil {
					if f.Sequence < next {
						continue
					}
					next = f.Sequence + n
				}
				if !yield(f, err) {
					return
				}
			}
		}
	}
}
