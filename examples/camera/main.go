// Camera labels the frames of a camera, a stream or a video file.
//
//	camera /dev/video0            print label, score and rate, and show a window
//	camera -o out.avi clip.mp4    write the labelled frames to a video
//
// The window needs a build with OpenCV's highgui (tag gocv_highgui).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/sdk"
)

func main() {
	log.SetFlags(0)
	path := flag.String("model", "default", "model file")
	out := flag.String("o", "", "write the labelled frames to this .avi instead of a window")
	quiet := flag.Bool("q", false, "neither window nor video: print only")
	limit := flag.Int("frames", 0, "stop after so many frames; 0: at the end of the source")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: camera [-model FILE] [-o out.avi] [-q] [-frames N] SOURCE   (0, /dev/video0, a file, http://, rtsp://)")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *path, *out, *quiet, *limit); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, source, path, out string, quiet bool, limit int) (err error) {
	model, err := sdk.Open(path, sdk.WithTopK(1))
	if err != nil {
		return err
	}
	defer model.Close()
	cam, err := camera.Open(ctx, source)
	if err != nil {
		return err
	}
	defer cam.Close()
	var show display
	switch {
	case quiet:
	case out != "":
		show = &video{path: out, fps: cam.Info().FPS}
	default:
		if show, err = newScreen(); err != nil {
			return fmt.Errorf("%w; use -o out.avi to write a video, or -q to print only", err)
		}
	}

	began, n := time.Now(), 0
	for frame, err := range cam.Frames(ctx) {
		if ctx.Err() != nil {
			break // Ctrl-C is how a live camera ends
		}
		if err != nil {
			return errors.Join(err, finish(show))
		}
		predictions, err := model.Classify(ctx, frame)
		if err != nil {
			return errors.Join(err, finish(show))
		}
		n++
		best := predictions[0]
		rate := float64(n) / time.Since(began).Seconds()
		text := fmt.Sprintf("%s %.0f %%", best.Label, 100*best.Probability)
		fmt.Printf("frame %d  %-24s %5.1f frames/s\n", frame.Sequence, text, rate)
		if show != nil {
			err := show.frame(caption(frame, text))
			if errors.Is(err, camera.ErrClosed) {
				break // the window was closed
			}
			if err != nil {
				return errors.Join(err, finish(show))
			}
		}
		if n == limit {
			break
		}
	}
	return finish(show)
}

// display is where labelled frames go.
type display interface {
	frame(img *image.RGBA) error
	finish() error
}

func finish(d display) error {
	if d == nil {
		return nil
	}
	return d.finish()
}
