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
	request      request
	sized, rated bool
	openTimeout  time.Duration
	readTimeout  time.Duration
	delivery     delivery
	reconnect    bool
	backoff      Backoff
	onStatus     func(Status)
	csiHead      string // of tests: what stands for the hardware in a CSI pipeline
	log          *slog.Logger
}

// WithSize asks a V4L2 or CSI device for frames of width x height pixels. Open
// fails with ErrSize if the device answers with another size, and with ErrOption
// if the source is no device: files and streams come as they are.
func WithSize(width, height int) Option {
	return func(o *options) { o.request.width, o.request.height, o.sized = width, height, true }
}

// WithRate asks a V4L2 or CSI device for so many frames per second. Open fails
// with ErrRate if the device answers with a rate that differs by more than 1 %,
// and with ErrOption if the source is no device.
func WithRate(fps float64) Option {
	return func(o *options) { o.request.rate, o.rated = fps, true }
}

// WithPixelFormat asks a V4L2 device to send its pixels as MJPG or YUYV. Open
// fails with ErrPixelFormat if the device answers with another format, and with
// ErrOption if the source is no V4L2 device.
func WithPixelFormat(p PixelFormat) Option {
	return func(o *options) { o.request.pixels = p }
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

// WithReconnect opens a live source again whenever it is lost or stalls, until
// Close; see Backoff for how often. Camera.Frames says what the loop sees of it.
// Files end as ever. Waits of 1 ms to 24 h are possible.
func WithReconnect(b Backoff) Option {
	return func(o *options) { o.reconnect, o.backoff = true, b }
}

// WithStatus sets a function to be told of every change of state, one at a time
// and in order. It must return quickly and must not call the camera's Close;
// the camera waits for it.
func WithStatus(f func(Status)) Option { return func(o *options) { o.onStatus = f } }

// WithLogger sets where the camera tells what it did: its changes of state, and
// files that ended early. Passwords in addresses are left out. The default is silence. OpenCV and FFmpeg write warnings of their own
// to standard error; OPENCV_LOG_LEVEL and OPENCV_FFMPEG_LOGLEVEL govern those.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

func newOptions(src source, opts []Option) (options, error) {
	o := options{openTimeout: DefaultOpenTimeout, readTimeout: DefaultReadTimeout}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	o.reconnect = o.reconnect && src.live()
	o.backoff = o.backoff.orDefaults()
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
	if b := o.backoff; b.First < time.Millisecond || b.Max < b.First || b.Max > maxTimeout {
		return o, fmt.Errorf("camera: %w: Backoff{First: %v, Max: %v}: want 1ms <= First <= Max <= %v", ErrOption, b.First, b.Max, maxTimeout)
	}
	return o, o.request.check(src, o.sized, o.rated)
}
