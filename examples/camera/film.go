package main

import (
	"fmt"
	"image"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// film is a video of all frames with their labels. The first frame decides its
// size, and the file gets its name only when it is whole.
type film struct {
	path   string
	fps    float64 // of the source; 0: it does not say
	writer *camera.Writer
	err    error // the first
}

// usualRate is taken for sources that do not say theirs.
const usualRate = 25

// Observe implements watch.Sink.
func (f *film) Observe(o *watch.Observation, img image.Image) {
	if f.err != nil {
		return
	}
	if f.writer == nil {
		if !(f.fps > 0) {
			f.fps = usualRate
		}
		size := img.Bounds().Size()
		if f.writer, f.err = camera.NewWriter(f.path, f.fps, size.X, size.Y); f.err != nil {
			return
		}
	}
	f.err = f.writer.Write(caption(img, fmt.Sprintf("%s %.0f %%  %.0f frames/s", o.Label, 100*o.Probability, o.FPS)))
}

func (f *film) failure() error { return f.err }

// Close finishes the video; one that failed is thrown away, and its error was told.
func (f *film) Close() error {
	switch {
	case f.writer == nil:
		return nil
	case f.err != nil:
		f.writer.Abort()
		return nil
	}
	return f.writer.Close()
}
