package camera

import (
	"fmt"
	"log/slog"
	"time"
)

// Defaults of the two time-outs. OpenCV's own are 30 s, too long to notice
// that a camera has gone.
const (
	DefaultOpenTimeout = 10 * time.Second
	DefaultReadTimeout = 5 * time.Second
)

// An Option changes how a source is opened and read.
type Option func(*options)

type delivery int

const (
	deliverBySource delivery = iota // latest for live sources, every frame for files
	deliverLatest
	deliverEvery
)

type options struct {
	width, height int // 0, 0: as the device likes
	sized         bool
	openTimeout   time.Duration
	readTimeout   time.Duration
	delivery      delivery
	log           *slog.Logger
}

// WithSize asks a V4L2 device for frames of width x height pixels. Open fails
// with ErrSize if the device answers with another size, and with ErrOption if
// the source is no device: files and streams come as they are.
func WithSize(width, height int) Option {
	return func(o *options) { o.width, o.height, o.sized = width, height, true }
}

// WithOpenTimeout bounds the time Open may take. It must be at least 1 ms.
func WithOpenTimeout(d time.Duration) Option { return func(o *options) { o.openTimeout = d } }

// WithReadTimeout bounds the time between asking for a frame and getting it;
// a source that needs longer has failed with ErrTimeout. It must be at least
// 1 ms, and longer than the source's own interval between frames.
func WithReadTimeout(d time.Duration) Option { return func(o *options) { o.readTimeout = d } }

// WithEveryFrame delivers every frame that the source gives, in order; the
// source waits for the loop. It is the default for files. A live source that
// is read too slowly delivers ever older frames and may disconnect.
func WithEveryFrame() Option { return func(o *options) { o.delivery = deliverEvery } }

// WithLatestFrame delivers the newest frame there is when the loop asks for
// one; frames it had no time for are dropped and counted in Frame.Dropped. It
// is the default for live sources. A file is then played at its own speed, as
// if it were a camera.
func WithLatestFrame() Option { return func(o *options) { o.delivery = deliverLatest } }

// WithLogger sets where the camera tells what it did: opened, lost, ended
// early. The default is silence. OpenCV and FFmpeg write warnings of their own
// to standard error; OPENCV_LOG_LEVEL and OPENCV_FFMPEG_LOGLEVEL govern those.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

func newOptions(src source, opts []Option) (options, error) {
	o := options{openTimeout: DefaultOpenTimeout, readTimeout: DefaultReadTimeout}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	if o.delivery == deliverBySource {
		o.delivery = deliverEvery
		if src.live() {
			o.delivery = deliverLatest
		}
	}
	const maxTimeout = 24 * time.Hour // OpenCV takes milliseconds as an int
	for _, t := range []struct {
		name string
		d    time.Duration
	}{{"WithOpenTimeout", o.openTimeout}, {"WithReadTimeout", o.readTimeout}} {
		if t.d < time.Millisecond || t.d > maxTimeout {
			return o, fmt.Errorf("camera: %w: %s(%v): want 1ms to %v", ErrOption, t.name, t.d, maxTimeout)
		}
	}
	if o.sized {
		const most = 1 << 15
		if o.width < 1 || o.height < 1 || o.width > most || o.height > most {
			return o, fmt.Errorf("camera: %w: WithSize(%d, %d): want 1 to %d each", ErrOption, o.width, o.height, most)
		}
		if src.kind != kindDevice {
			return o, fmt.Errorf("camera: %s: %w: WithSize is for V4L2 devices; files and streams come in their own size", src.name, ErrOption)
		}
	}
	return o, nil
}
