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
	threads  int
	log      *slog.Logger
}

func newOptions(opts []Option) (options, error) {
	o := options{topK: 5, sessions: runtime.GOMAXPROCS(0), threads: min(defaultThreads, runtime.GOMAXPROCS(0)), log: slog.New(slog.DiscardHandler)}
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

// A network has so little work that more than a few threads wait for each other
// most of the time.
const (
	defaultThreads = 4
	maxThreads     = 1024
)

// WithThreads lets one image be worked on by up to n threads, 1 to 1024; the
// results are the same bytes for any number. The threads are shared by the
// images of WithSessions: as many images at once as there are threads get one
// each. Workers wait for 50 microseconds with their processor, then asleep. The
// default is GOMAXPROCS, at most 4. It concerns int8 models; float32 and fp16
// ones have one thread for each image.
func WithThreads(n int) Option {
	return func(o *options) error {
		if n < 1 || n > maxThreads {
			return fmt.Errorf("%w: %d threads, want 1 to %d", ErrOption, n, maxThreads)
		}
		o.threads = n
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
