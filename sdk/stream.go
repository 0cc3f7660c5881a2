package sdk

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"time"
)

// Result is what Stream or a Pipeline makes of one frame.
type Result struct {
	Source      int           // of the pipeline's sources, from 0
	Name        string        // of the source
	Image       image.Image   // valid until the next iteration
	Predictions []Prediction  // valid until the next iteration
	Index       int           // of the frame among those that arrived here, from 0
	Sequence    uint64        // of the frame in its source, as that counts; else Index
	Dropped     uint64        // frames that the source left out before this one
	Captured    time.Time     // as the source says, or when the frame arrived
	Elapsed     time.Duration // preprocessing and network
	Latency     time.Duration // from Captured to the result
	Stages      Stages
}

// Stages is where the time of one result went.
type Stages struct {
	Source     time.Duration // waiting for the source to give the frame
	Copy       time.Duration // of a lent frame
	Preprocess time.Duration // resize, crop, normalise and quantise
	Queue      time.Duration // waiting for a processor, for others' turns, and for the loop
	Inference  time.Duration // network and labels
}

// stamp fills in what the source says of a frame that arrived now.
func (r *Result) stamp(img image.Image, now time.Time) {
	r.Image, r.Captured, r.Sequence, r.Dropped = img, now, uint64(r.Index), 0
	if m, ok := img.(Stamped); ok {
		var captured time.Time
		if captured, r.Sequence, r.Dropped = m.Stamp(); !captured.IsZero() {
			r.Captured = captured
		}
	}
}

// Stream classifies frames one after another, as the loop asks for them, on its
// goroutine alone; a Pipeline does it on several.
//
//	for result, err := range model.Stream(ctx, frames) {
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
				r.stamp(img, start)
				predictions, err = m.ClassifyInto(ctx, img, predictions)
				r.Predictions, r.Elapsed, r.Latency = predictions, time.Since(start), time.Since(r.Captured)
			}
			if !yield(r, err) || err != nil && (ctx.Err() != nil || errors.Is(err, ErrClosed)) {
				return
			}
		}
	}
}
