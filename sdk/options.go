package sdk

import (
	"fmt"
	"log/slog"
	"runtime"
)

// Option changes how a model is opened.
type Option func(*options) error

type options struct {
	topK     int
	sessions int
	log      *slog.Logger
}

func newOptions(opts []Option) (options, error) {
	o := options{topK: 5, sessions: runtime.GOMAXPROCS(0), log: slog.New(slog.DiscardHandler)}
	for _, set := range opts {
		if set == nil {
			continue
		}
		if err := set(&o); err != nil {
			return options{}, fmt.Errorf("sdk: %w", err)
		}
	}
	return o, nil
}

// WithTopK makes Classify return the k most probable classes, or all where the
// model has fewer. The default is 5.
func WithTopK(k int) Option {
	return func(o *options) error {
		if k < 1 {
			return fmt.Errorf("%w: top-k of %d, want 1 or more", ErrOption, k)
		}
		o.topK = k
		return nil
	}
}

// WithSessions lets up to n images be worked on at once; further calls wait.
// Each session holds one image's activations. The default is GOMAXPROCS.
func WithSessions(n int) Option {
	return func(o *options) error {
		if n < 1 {
			return fmt.Errorf("%w: %d sessions, want 1 or more", ErrOption, n)
		}
		o.sessions = n
		return nil
	}
}

// WithLogger makes the model report to log: at level Info when it is opened, at
// Debug when it makes a session or is closed. The default is silence.
func WithLogger(log *slog.Logger) Option {
	return func(o *options) error {
		if log == nil {
			return fmt.Errorf("%w: the logger is nil; leave the option out for silence", ErrOption)
		}
		o.log = log
		return nil
	}
}
