package sdk

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"time"
)

// Result is what Stream makes of one frame.
type Result struct {
	Image       image.Image
	Predictions []Prediction  // valid until the next iteration, as Image may be
	Index       int           // of the frame in the source, from 0
	Elapsed     time.Duration // preprocessing and network, waiting for a session included
}

// Stream classifies frames one after another, as the loop asks for them:
//
//	for result, err := range model.Stream(ctx, camera.Frames(ctx)) {
//
// Errors of the source are passed on as they are, and so is the error about a
// frame that cannot be classified; whether to go on is up to the loop, and the
// source ends by itself. When ctx ends or the model is closed, that is the last
// error and the loop is over. Predictions share one slice: clone what is to be
// kept.
func (m *Model) Stream(ctx context.Context, frames iter.Seq2[image.Image, error]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		if frames == nil {
			yield(Result{}, fmt.Errorf("sdk: %w: the source of frames is nil", ErrNotImage))
			return
		}
		var predictions []Prediction
		index := -1
		for img, err := range frames {
			index++
			r := Result{Image: img, Index: index}
			if err == nil {
				start := time.Now()
				predictions, err = m.ClassifyInto(ctx, img, predictions)
				r.Predictions, r.Elapsed = predictions, time.Since(start)
			}
			if !yield(r, err) || err != nil && (ctx.Err() != nil || errors.Is(err, ErrClosed)) {
				return
			}
		}
	}
}
