package sdk

import (
	"context"
	"image"
	"iter"
	"time"
)

// A Source is one camera, or whatever else gives pictures, of a Pipeline.
type Source struct {
	// Name is for people; results carry it.
	Name string
	// Frames returns the pictures, one after another; it is called once for each
	// run of the pipeline. When ctx ends, so must they, at once or within a
	// time-out. An error does not end them, nor the pipeline.
	//
	// A picture with a method BGR() (pix []byte, stride int) is lent: its packed
	// pixels are copied before the next one is asked for. All others must stay as
	// they are until their result has been seen.
	Frames func(ctx context.Context) iter.Seq2[image.Image, error]
	// Region is the part of the picture that is classified; empty is all of it.
	Region image.Rectangle
}

// From makes a source of a function that returns frames of any kind, as a
// camera's does:
//
//	sdk.From("door", cam.Frames)
func From[F image.Image](name string, frames func(ctx context.Context) iter.Seq2[F, error]) Source {
	return Source{Name: name, Frames: func(ctx context.Context) iter.Seq2[image.Image, error] {
		return func(yield func(image.Image, error) bool) {
			for f, err := range frames(ctx) {
				// A nil pointer in an interface is not nil.
				if err != nil {
					if !yield(nil, err) {
						return
					}
				} else if !yield(f, nil) {
					return
				}
			}
		}
	}}
}

// Stamped is what a picture may implement to say when it was captured, which
// one of its source's it is, and how many were dropped before it, for its sake.
type Stamped interface {
	Stamp() (captured time.Time, sequence, dropped uint64)
}
