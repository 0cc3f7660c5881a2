package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	Dropped     uint64  `json:"dropped"`      // frames left out for this newer one
}

func (a *app) runCommand() *cobra.Command {
	var frames, threads int
	c := &cobra.Command{
		Use:   "run MODEL SOURCE",
		Short: "Label the frames of a camera, a stream or a video file",
		Long: `Prints the most probable class of every frame, its probability and the frames
per second. SOURCE is a V4L2 device (0 or /dev/video0), a video file, or an
http, https, rtsp or rtsps address. Of a live source the newest frame is taken,
of a file every one. It ends with the file, after --frames frames, or with
Ctrl-C, which is no error; a source that vanishes is one. --json prints a line
for each frame.

Cameras need a build with OpenCV: make build.`,
		Example: `  seedge run default 0
  seedge run default clip.avi --frames 100 --json
  seedge run int8.safetensors rtsp://camera.local/stream`,
		Args: exactly("MODEL", "SOURCE"),
		RunE: func(c *cobra.Command, args []string) error {
			if frames < 0 {
				return fmt.Errorf("--frames is %d, want 1 or more, or 0 for all", frames)
			}
			err := a.run(c.Context(), args[0], args[1], frames, threads)
			if errors.Is(err, context.Canceled) && c.Context().Err() != nil {
				return nil // Ctrl-C while the source was being opened
			}
			return err
		},
	}
	c.Flags().IntVar(&frames, "frames", 0, "frames to label; 0: until the source ends")
	c.Flags().IntVar(&threads, "threads", min(4, runtime.GOMAXPROCS(0)), "threads that work on a frame")
	return c
}

func (a *app) run(ctx context.Context, model, source string, frames, threads int) error {
	m, err := openModel(model, threads, sdk.WithSessions(1), sdk.WithTopK(1))
	if err != nil {
		return err
	}
	defer m.Close()
	cam, err := camera.Open(ctx, source)
	if err != nil {
		return err
	}
	defer cam.Close()
	rate := newRate()
	var found []sdk.Prediction
	for frame, err := range cam.Frames(ctx) {
		if err != nil {
			if ctx.Err() != nil {
				break // Ctrl-C is how a live run ends
			}
			return err
		}
		start := time.Now()
		// A frame that is there is finished, also when Ctrl-C comes meanwhile.
		if found, err = m.ClassifyInto(context.WithoutCancel(ctx), frame, found); err != nil {
			return fmt.Errorf("frame %d: %w", frame.Sequence, err)
		}
		now := time.Now()
		p := predictions(found)[0]
		if err := a.printFrame(seen{
			Frame: frame.Sequence, Label: p.Label, Index: p.Index, Probability: p.Probability,
			FPS: rate.tick(now), Millis: float64(now.Sub(start).Microseconds()) / 1000, Dropped: frame.Dropped,
		}, p.name()); err != nil {
			return err
		}
		if rate.frames == frames {
			break
		}
	}
	if !a.json {
		a.notef("%d frames, %.1f frames/s", rate.frames, rate.mean())
	}
	return nil
}

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
