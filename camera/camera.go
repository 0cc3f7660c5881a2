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
	hints   Info
	kick    chan struct{} // wakes the owner: there may be something to read for
	fresh   chan struct{} // wakes the loop: there may be a frame, or the end
	closing chan struct{} // closed by Close
	gone    chan struct{} // closed when the owner has released the capture

	mu      sync.Mutex
	active  bool  // a loop is running
	rewound bool  // a loop has begun since the last read
	closed  bool  //
	ended   bool  // there will be no more frames
	end     error // why; nil is the regular end of a file
	full    bool  // waiting holds a frame that the loop has not seen
	dropped uint64
	count   uint64 // frames read

	filling *Frame // the owner's
	waiting *Frame // under mu
	lent    *Frame // the loop's
}

// Open opens a source:
//
//   - "0", "/dev/video0" or a link to such a device below /dev: a V4L2 device;
//   - "http://", "https://", "rtsp://", "rtsps://": a network stream;
//   - anything else without a "://": a video file.
//
// Devices go to OpenCV's V4L2 backend and the rest to FFmpeg, never to
// whichever backend would take them. ctx bounds the opening only; what is
// opened lives until Close. Live sources begin to run at once.
//
// Errors wrap ErrSource, ErrOption, ErrNotFound, ErrOpen, ErrSize, ErrTimeout,
// ErrBuild or ctx.Err().
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
		kick:    make(chan struct{}, 1),
		fresh:   make(chan struct{}, 1),
		closing: make(chan struct{}),
		gone:    make(chan struct{}),
		filling: new(Frame),
		waiting: new(Frame),
		lent:    new(Frame),
	}
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
		c.shut()
		return nil, fmt.Errorf("camera: %s: %w: not open after %v", src.name, ErrTimeout, o.openTimeout)
	}
	o.log.Info("camera opened", "source", src.name, "width", c.hints.Width, "height", c.hints.Height, "fps", c.hints.FPS)
	return c, nil
}

// Info returns what the source says of itself.
func (c *Camera) Info() Info { return c.hints }

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
// The frame is valid until the next turn of the loop. Of an HTTP stream that
// breaks off within a picture, the last frame before ErrLost may be damaged:
// FFmpeg patches it up and OpenCV does not tell.
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
			frame, err := c.next(ctx, patience)
			if err != nil {
				yield(nil, err)
				return
			}
			if frame == nil || !yield(frame, nil) {
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

// next waits for a frame. Neither a frame nor an error is the end of a file.
func (c *Camera) next(ctx context.Context, patience *time.Timer) (*Frame, error) {
	patience.Reset(c.opt.readTimeout + slack)
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("camera: %s: %w", c.src.name, err)
		}
		if frame, err, settled := c.take(); settled {
			return frame, err
		}
		select {
		case <-c.fresh:
		case <-c.closing:
		case <-ctx.Done():
		case <-patience.C:
			c.stop(c.errTimeout())
		}
	}
}

// take gives what can be given without waiting, if anything.
func (c *Camera) take() (frame *Frame, err error, settled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, c.errClosed(), true
	case c.full:
		c.waiting, c.lent, c.full = c.lent, c.waiting, false
		c.lent.Dropped, c.dropped = c.dropped, 0
		wake(c.kick)
		return c.lent, nil, true
	case c.ended:
		return nil, c.end, true
	}
	return nil, nil, false
}

func (c *Camera) errTimeout() error {
	return fmt.Errorf("camera: %s: %w: no whole frame within %v", c.src.name, ErrTimeout, c.opt.readTimeout)
}

// stop ends the frames, once.
func (c *Camera) stop(why error) {
	c.mu.Lock()
	if c.ended || c.closed {
		c.mu.Unlock()
		return
	}
	c.ended, c.end = true, why
	wake(c.fresh)
	wake(c.kick)
	c.mu.Unlock()
	if why != nil {
		c.opt.log.Warn("camera ended", "error", why)
	}
}

// wake leaves a note in a channel of capacity one, unless there is one.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
