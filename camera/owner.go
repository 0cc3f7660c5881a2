package camera

import (
	"errors"
	"fmt"
	"time"
)

// own is the goroutine that owns the capture: it alone opens, reads and
// releases it, so no call can reach a capture that is busy or gone. It tells
// opened, once, how the first attempt went.
func (c *Camera) own(open opener, opened chan<- error) {
	var end error
	defer func() {
		c.note(Status{State: Ended, Err: end})
		close(c.gone)
	}()
	retry := retrier{Backoff: c.opt.backoff}
	attempt := 1
	for first := true; ; first = false {
		c.note(Status{State: Connecting, Attempt: attempt})
		lived, err := c.connection(open, opened, attempt)
		if c.over() {
			_, end = c.ending()
			return
		}
		if err == nil || !c.opt.reconnect || first && lived < 0 && permanent(err) {
			c.stop(err)
			if end = err; err != nil {
				c.note(Status{State: Lost, Attempt: attempt, Err: err})
			}
			tell(opened, err)
			return
		}
		if lived > 0 {
			attempt = 0
		}
		wait := retry.wait(lived)
		c.miss(err)
		c.note(Status{State: Lost, Attempt: attempt, Retry: wait, Err: err})
		tell(opened, nil)
		if !c.pause(wait) {
			return
		}
		attempt++
	}
}

// connection opens the source, reads it until it ends, and releases it. It
// returns how long there were frames, negative if the source did not open, and
// why there are no more; nil is the regular end of a file.
func (c *Camera) connection(open opener, opened chan<- error, attempt int) (lived time.Duration, why error) {
	capture, err := open(c.src, &c.opt)
	if err != nil {
		return -1, err
	}
	defer capture.close()
	c.mu.Lock()
	c.hints = capture.info()
	hints := c.hints
	c.mu.Unlock()
	c.opt.log.Info("camera opened", "source", c.src.name, "width", hints.Width, "height", hints.Height, "fps", hints.FPS)
	tell(opened, nil)
	return c.stream(capture, attempt)
}

// stream reads frames until there are no more.
func (c *Camera) stream(capture capture, attempt int) (lived time.Duration, why error) {
	var clock pacer
	var began time.Time
	var count uint64 // frames of this connection
	for c.mayRead(&clock) {
		c.filling.Time = time.Time{}
		c.watch.Reset(c.opt.readTimeout + slack)
		start := time.Now()
		ok, err := capture.read(c.filling)
		took := time.Since(start)
		c.watch.Stop()
		if err != nil || !ok || (took >= c.opt.readTimeout && c.src.live()) {
			// The last case is half a frame: when a stream stalls within one,
			// OpenCV decodes what it has and calls it a success.
			why := c.why(err, took, count)
			if errors.Is(why, ErrTimeout) && !c.over() {
				c.note(Status{State: Stalled, Attempt: attempt, Err: why})
			}
			if count > 0 {
				lived = time.Since(began)
			}
			return lived, why
		}
		if c.opt.delivery == deliverLatest && !c.src.live() && !c.pause(clock.delay(capture.position())) {
			return 0, nil
		}
		if c.filling.Time.IsZero() {
			c.filling.Time = time.Now()
		}
		if count++; count == 1 {
			began = time.Now()
		}
		if c.deliver(count == 1) {
			c.note(Status{State: Streaming, Attempt: attempt})
		}
	}
	return 0, nil
}

// permanent reports whether an error of the first attempt will not go away by
// waiting.
func permanent(err error) bool {
	for _, e := range []error{ErrBuild, ErrOption, ErrSize, ErrRate, ErrPixelFormat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// tell answers Open, unless it has its answer.
func tell(opened chan<- error, err error) {
	select {
	case opened <- err:
	default:
	}
}

// stalled runs when a read takes longer than the read time-out: OpenCV is not
// always to be interrupted, but people and loops should know.
func (c *Camera) stalled() {
	if c.over() {
		return
	}
	c.note(Status{State: Stalled, Err: c.errTimeout()})
}

func (c *Camera) over() bool {
	over, _ := c.ending()
	return over
}

func (c *Camera) ending() (over bool, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed || c.ended, c.end
}

// miss leaves the reason of a disconnection for the loop to see.
func (c *Camera) miss(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = why
	wake(c.fresh)
}

// mayRead waits until there is something to read for, and reports false when
// there will not be. Latest frames of live sources are read always: what
// nobody takes out of a driver's or server's queue grows old there.
func (c *Camera) mayRead(clock *pacer) bool {
	for {
		c.mu.Lock()
		over := c.closed || c.ended
		var may bool
		if c.opt.delivery == deliverLatest {
			may = c.active || c.src.live()
		} else {
			may = c.active && !c.full
		}
		if may && c.rewound {
			*clock, c.rewound = pacer{}, false
		}
		c.mu.Unlock()
		if over || may {
			return !over
		}
		select {
		case <-c.kick:
		case <-c.closing:
		}
	}
}

// deliver puts the frame just read in the place of the one waiting. It reports
// whether this is news: frames were not coming before.
func (c *Camera) deliver(first bool) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false // too late: the loop has given up
	}
	if first {
		if c.connections++; c.connections > 1 {
			c.stats.Reconnects++
		}
	}
	c.filling.Sequence, c.filling.Connection = c.stats.Frames, c.connections
	c.stats.Frames++
	if c.full {
		c.dropped++
		c.stats.Dropped++
	}
	c.filling, c.waiting, c.full = c.waiting, c.filling, true
	c.fault = nil // the loop goes on from here
	wake(c.fresh)
	return c.status.State != Streaming
}

// why tells what it means that a read gave no frame, after so many that it gave
// since the source was opened.
func (c *Camera) why(err error, took time.Duration, count uint64) error {
	switch {
	case err != nil:
		return err
	case took >= c.opt.readTimeout:
		return c.errTimeout()
	case c.src.live():
		return fmt.Errorf("camera: %s: %w after %d frames", c.src.name, ErrLost, count)
	case count == 0:
		return fmt.Errorf("camera: %s: %w: the file contains no frame that can be decoded", c.src.name, ErrOpen)
	}
	// OpenCV cannot tell a truncated file from the end of one, and the number
	// in the header is a hint: enough for a warning, not for an error.
	if announced := uint64(c.Info().Frames); announced > count+announced/50 {
		c.opt.log.Warn("video ended early; is the file truncated?", "source", c.src.name, "frames", count, "announced", announced)
	}
	return nil
}

// pause sleeps unless the camera is closed meanwhile, and reports whether to
// go on.
func (c *Camera) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.closing:
		return false
	}
}

// A pacer plays a file at its own speed.
type pacer struct {
	start time.Time
	first time.Duration
}

// delay is how long the frame at this position of the file has to wait.
func (p *pacer) delay(position time.Duration) time.Duration {
	if p.start.IsZero() {
		p.start, p.first = time.Now(), position
	}
	// A file that jumps in time, or lies about it, must not stop the show.
	return min(position-p.first-time.Since(p.start), time.Second)
}
