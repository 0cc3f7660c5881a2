package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/sdk"
)

// seen is one frame's result.
type seen struct {
	Frame       uint64  `json:"frame"` // its number in the source, from 0
	Label       string  `json:"label"`
	Index       int     `json:"index"`
	Probability float32 `json:"probability"`
	FPS         float64 `json:"fps"`
	Millis      float64 `json:"milliseconds"` // preprocessing and network
	Latency     float64 `json:"latency"`      // milliseconds from capture to result
	Dropped     uint64  `json:"dropped"`      // frames left out for this newer one
}

// runOptions are the flags of run.
type runOptions struct {
	frames, threads int
	size, pixels    string
	rate            float64
	reconnect       bool
	profile         bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run MODEL SOURCE",
		Short: "Label the frames of a camera, a stream or a video file",
		Long: `Prints the most probable class of every frame, its probability and the frames
per second. SOURCE is a V4L2 device (0 or /dev/video0), a CSI camera (rpi:0,
jetson:0), a video file, or an http, https, rtsp or rtsps address. Of a live
source the newest frame is taken, of a file every one. It ends with the file,
after --frames frames, or with Ctrl-C, which is no error; a source that vanishes
is one, unless --reconnect waits for it. --json prints a line for each frame.

--profile prints at the end where the time went and how much was allocated,
instead of the frames.

Cameras need a build with OpenCV: make build.`,
		Example: `  seedge run default 0
  seedge run default clip.avi --frames 100 --json
  seedge run default 0 --size 640x480 --pixels MJPG --rate 30 --profile --frames 500
  seedge run int8.safetensors rtsp://camera.local/stream --reconnect`,
		Args: exactly("MODEL", "SOURCE"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.frames < 0 {
				return fmt.Errorf("--frames is %d, want 1 or more, or 0 for all", o.frames)
			}
			opts, err := o.camera()
			if err != nil {
				return err
			}
			err = a.run(c.Context(), args[0], args[1], o, opts)
			if errors.Is(err, context.Canceled) && c.Context().Err() != nil {
				return nil // Ctrl-C while the source was being opened
			}
			return err
		},
	}
	c.Flags().IntVar(&o.frames, "frames", 0, "frames to label; 0: until the source ends")
	c.Flags().IntVar(&o.threads, "threads", min(4, runtime.GOMAXPROCS(0)), "threads that work on a frame")
	c.Flags().StringVar(&o.size, "size", "", "ask a device for this size, as 640x480")
	c.Flags().Float64Var(&o.rate, "rate", 0, "ask a device for so many frames per second; 0: as it likes")
	c.Flags().StringVar(&o.pixels, "pixels", "", "ask a V4L2 device for this pixel format, MJPG or YUYV")
	c.Flags().BoolVar(&o.reconnect, "reconnect", false, "open a lost source again and again")
	c.Flags().BoolVar(&o.profile, "profile", false, "print the time of each stage and the allocations, not the frames")
	return c
}

// camera turns the flags into options.
func (o *runOptions) camera() (opts []camera.Option, err error) {
	if o.size != "" {
		var w, h int
		if n, err := fmt.Sscanf(o.size+"$", "%dx%d$", &w, &h); n != 2 || err != nil {
			return nil, fmt.Errorf("--size is %q, want WIDTHxHEIGHT, as 640x480", o.size)
		}
		opts = append(opts, camera.WithSize(w, h))
	}
	if o.rate != 0 {
		opts = append(opts, camera.WithRate(o.rate))
	}
	if o.pixels != "" {
		opts = append(opts, camera.WithPixelFormat(camera.PixelFormat(strings.ToUpper(o.pixels))))
	}
	if o.reconnect {
		opts = append(opts, camera.WithReconnect(camera.Backoff{}))
	}
	return opts, nil
}

func (a *app) run(ctx context.Context, model, source string, o runOptions, opts []camera.Option) error {
	m, err := openModel(model, o.threads, sdk.WithSessions(1), sdk.WithTopK(1))
	if err != nil {
		return err
	}
	defer m.Close()
	cam, err := camera.Open(ctx, source, opts...)
	if err != nil {
		return err
	}
	defer cam.Close()
	pipeline, err := sdk.NewPipeline(m, sdk.From(source, cam.Frames))
	if err != nil {
		return err
	}
	rate := newRate()
	var prof profile
	for r, err := range pipeline.Results(ctx) {
		switch {
		case err == nil:
		case ctx.Err() != nil:
			continue // Ctrl-C is how a live run ends; the loop does, too
		case o.reconnect && isAway(err):
			a.notef("%v", err)
			continue
		default:
			return err
		}
		fps := rate.tick(time.Now())
		if o.profile {
			prof.add(r)
		} else if err := a.printFrame(newSeen(r, fps)); err != nil {
			return err
		}
		if rate.frames == o.frames {
			break
		}
	}
	if o.profile {
		return a.printProfile(prof.sum(rate.mean()))
	}
	if !a.json {
		a.notef("%d frames, %.1f frames/s", rate.frames, rate.mean())
	}
	return nil
}

// isAway reports whether an error is about a source that is being reconnected.
func isAway(err error) bool {
	for _, e := range []error{camera.ErrLost, camera.ErrTimeout, camera.ErrOpen, camera.ErrNotFound, camera.ErrFormat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func newSeen(r sdk.Result, fps float64) (s seen, name string) {
	p := predictions(r.Predictions)[0]
	return seen{
		Frame: r.Sequence, Label: p.Label, Index: p.Index, Probability: p.Probability, FPS: fps,
		Millis: milliseconds(r.Elapsed), Latency: milliseconds(r.Latency), Dropped: r.Dropped,
	}, p.name()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (a *app) printFrame(s seen, name string) error {
	if a.json {
		return a.emitLine(s)
	}
	a.printf("%6d  %5.1f %%  %6.1f frames/s  %s\n", s.Frame, 100*s.Probability, s.FPS, name)
	return a.out.failure() // a reader that went away ends the run
}

// rate counts frames per second.
type rate struct {
	frames      int
	start, last time.Time
	recent      [32]time.Time // the latest frames' times, a ring
}

func newRate() *rate { return &rate{start: time.Now()} }

// tick counts a frame and returns the rate over the latest ones, so that it
// follows a change within a second or so without flickering.
func (r *rate) tick(now time.Time) float64 {
	n := len(r.recent)
	since, over := r.start, r.frames+1
	if r.frames >= n {
		since, over = r.recent[r.frames%n], n
	}
	r.recent[r.frames%n] = now
	r.frames++
	r.last = now
	return perSecond(over, now.Sub(since))
}

func (r *rate) mean() float64 { return perSecond(r.frames, r.last.Sub(r.start)) }

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
