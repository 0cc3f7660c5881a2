package camera

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// slack is how much longer than OpenCV's own time-outs we wait: its error is
// the more exact one and should come first.
const slack = 250 * time.Millisecond

// A Camera is an open source of frames. Its methods may be called from any
// goroutine. It must be closed.
type Camera struct {
	src     source
	opt     options
	context context.Context // of the log lines: without cancellation
	kick    chan struct{}   // wakes the owner: there may be something to read for
	fresh   chan struct{}   // wakes the loop: there may be a frame, or the end
	closing chan struct{}   // closed by Close
	gone    chan struct{}   // closed when the owner has released the capture
	watch   *time.Timer     // runs while a read does; fires when it takes too long

	telling sync.Mutex // held while a status is told, so that they come in order

	mu          sync.Mutex
	hints       Info
	status      Status
	failure     string // the latest that was logged since frames last came
	stats       Stats
	connections uint64 // that gave a frame
	fault       error  // of a source that is being reconnected; for the loop to see
	active      bool   // a loop is running
	rewound     bool   // a loop has begun since the last read
	closed      bool   //
	ended       bool   // there will be no more frames
	end         error  // why; nil is the regular end of a file
	full        bool   // waiting holds a frame that the loop has not seen
	dropped     uint64

	filling *Frame // the owner's
	waiting *Frame // under mu
	lent    *Frame // the loop's
}

// Open opens a source:
//
//   - "0", "/dev/video0" or a link to such a device below /dev: a V4L2 device;
//   - "http://", "https://", "rtsp://", "rtsps://": a network stream;
//   - "rpi:0" or "rpi:/base/...": a CSI camera of a Raspberry Pi, through
//     libcamera; "jetson:0" to "jetson:15": one of an NVIDIA Jetson, through Argus;
//   - anything else without a "://": a video file.
//
// Devices go to OpenCV's V4L2 backend and the rest to FFmpeg, never to
// whichever backend would take them. CSI presets go to GStreamer, with a
// pipeline that only this package writes. ctx bounds the opening only; what is
// opened lives until Close. Live sources begin to run at once.
//
// With WithReconnect, a source that cannot be reached yet is no error: Open
// waits for the first attempt, and the camera goes on trying. What waiting
// cannot mend (ErrSource, ErrOption, ErrBuild, a mode that the device does not
// offer) is an error all the same.
//
// Errors wrap ErrSource, ErrOption, ErrNotFound, ErrOpen, ErrSize, ErrRate,
// ErrPixelFormat, ErrTimeout, ErrBuild or ctx.Err().
func Open(ctx context.Context, source string, opts ...Option) (*Camera, error) {
	src, err := parseSource(source)
	if err != nil {
		return nil, err
	}
	o, err := newOptions(src, opts)
	if err != nil {
		return nil, err
	}
	if src.kind == kindFile {
		if err := checkFile(src); err != nil {
			return nil, err
		}
	}
	return open(ctx, src, o, openCapture)
}

func open(ctx context.Context, src source, o options, opener opener) (*Camera, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("camera: %s: %w", src.name, err)
	}
	c := &Camera{
		src:     src,
		opt:     o,
		context: context.WithoutCancel(ctx),
		kick:    make(chan struct{}, 1),
		fresh:   make(chan struct{}, 1),
		closing: make(chan struct{}),
		gone:    make(chan struct{}),
		filling: new(Frame),
		waiting: new(Frame),
		lent:    new(Frame),
	}
	c.watch = time.AfterFunc(time.Hour, c.stalled)
	c.watch.Stop()
	opened := make(chan error, 1)
	go c.own(opener, opened)
	timer := time.NewTimer(o.openTimeout + slack)
	defer timer.Stop()
	select {
	case err := <-opened:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		c.shut()
		return nil, fmt.Errorf("camera: %s: %w", src.name, ctx.Err())
	case <-timer.C:
		if o.reconnect {
			break // the owner goes on trying
		}
		c.shut()
		return nil, fmt.Errorf("camera: %s: %w: not open after %v", src.name, ErrTimeout, o.openTimeout)
	}
	return c, nil
}

// Info returns what the source says of itself, or said when it was last open.
func (c *Camera) Info() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hints
}

// Frames returns a loop over the frames.
//
// It ends without an error at the end of a file, and when the body breaks out
// of it; then it may be run again and goes on from there. Otherwise its last
// turn has a nil frame and an error: ErrLost or ErrTimeout when a live source
// ends or stalls, ErrFormat, ErrOpen when a file gives no frame at all,
// ErrClosed after Close, ErrBusy while another loop is running, or ctx.Err().
// After ErrLost, ErrTimeout and ErrFormat the source has been released; Open
// it again to go on.
//
// With WithReconnect, errors of the source do not end the loop: if its body goes
// on, so does the loop. A turn has an error when the source is lost, when an
// attempt to open it again fails, and for every read time-out that passes without
// a frame. Only ErrClosed, ErrBusy and ctx.Err() are the last.
//
// The frame is valid until the next turn of the loop.
func (c *Camera) Frames(ctx context.Context) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		if err := c.begin(); err != nil {
			yield(nil, err)
			return
		}
		defer c.finish()
		patience := time.NewTimer(c.opt.readTimeout + slack)
		defer patience.Stop()
		for {
			frame, over, err := c.next(ctx, patience)
			if frame == nil && err == nil || !yield(frame, err) || over {
				return
			}
		}
	}
}

// Close ends a running loop and releases the source. It waits for a read in
// progress, but not longer than the read time-out: a device that hangs is then
// released as soon as OpenCV returns from it. Closing twice is no error.
func (c *Camera) Close() error {
	c.shut()
	timer := time.NewTimer(c.opt.readTimeout + slack)
	defer timer.Stop()
	select {
	case <-c.gone:
	case <-timer.C:
		c.opt.log.Warn("camera still busy; it is released when its driver returns", "source", c.src.name)
	}
	return nil
}

func (c *Camera) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.closing)
	}
}

func (c *Camera) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return c.errClosed()
	case c.active:
		return fmt.Errorf("camera: %s: %w", c.src.name, ErrBusy)
	}
	c.active, c.rewound = true, true
	wake(c.kick)
	return nil
}

func (c *Camera) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = false
}

func (c *Camera) errClosed() error { return fmt.Errorf("camera: %s: %w", c.src.name, ErrClosed) }

// next waits for a frame. Neither a frame nor an error is the end of a file;
// over says that there is nothing behind the error.
func (c *Camera) next(ctx context.Context, patience *time.Timer) (frame *Frame, over bool, err error) {
	patience.Reset(c.opt.readTimeout + slack)
	for {
		if err := ctx.Err(); err != nil {
			return nil, true, fmt.Errorf("camera: %s: %w", c.src.name, err)
		}
		if frame, over, settled, err := c.take(); settled {
			return frame, over, err
		}
		select {
		case <-c.fresh:
		case <-c.closing:
		case <-ctx.Done():
		case <-patience.C:
			if c.opt.reconnect {
				return nil, false, c.errWaiting()
			}
			c.stop(c.errTimeout())
		}
	}
}

// take gives what can be given without waiting, if anything.
func (c *Camera) take() (frame *Frame, over, settled bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, true, true, c.errClosed()
	case c.full:
		c.waiting, c.lent, c.full = c.lent, c.waiting, false
		c.lent.Dropped, c.dropped = c.dropped, 0
		wake(c.kick)
		return c.lent, false, true, nil
	case c.ended:
		return nil, true, true, c.end
	case c.fault != nil:
		err, c.fault = c.fault, nil
		return nil, false, true, err
	}
	return nil, false, false, nil
}

func (c *Camera) errTimeout() error {
	return fmt.Errorf("camera: %s: %w: no whole frame within %v", c.src.name, ErrTimeout, c.opt.readTimeout)
}

// errWaiting tells a loop that the camera is still being reconnected.
func (c *Camera) errWaiting() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = nil
	if c.status.Err != nil {
		return fmt.Errorf("camera: %s: %w: no frame for %v; %s: %w", c.src.name, ErrTimeout, c.opt.readTimeout, c.status.State, c.status.Err)
	}
	return fmt.Errorf("camera: %s: %w: no frame for %v; %s", c.src.name, ErrTimeout, c.opt.readTimeout, c.status.State)
}

// stop ends the frames, once.
func (c *Camera) stop(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.closed {
		return
	}
	c.ended, c.end = true, why
	wake(c.fresh)
	wake(c.kick)
}

// wake leaves a note in a channel of capacity one, unless there is one.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
