package camera

import (
	"fmt"
	"time"
)

// own is the goroutine that owns the capture: it alone opens, reads and
// releases it, so no call can reach a capture that is busy or gone.
func (c *Camera) own(open opener, opened chan<- error) {
	defer close(c.gone)
	capture, err := open(c.src, &c.opt)
	if err != nil {
		opened <- err
		return
	}
	defer capture.close()
	c.hints = capture.info()
	opened <- nil
	var clock pacer
	for c.mayRead(&clock) {
		start := time.Now()
		ok, err := capture.read(c.filling)
		took := time.Since(start)
		if err != nil || !ok || (took >= c.opt.readTimeout && c.src.live()) {
			// The last case is half a frame: when a stream stalls within one,
			// OpenCV decodes what it has and calls it a success.
			c.stop(c.why(err, took))
			return
		}
		if c.opt.delivery == deliverLatest && !c.src.live() && !c.pause(clock.delay(capture.position())) {
			return
		}
		c.deliver()
	}
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

// deliver puts the frame just read in the place of the one waiting.
func (c *Camera) deliver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return // too late: the loop has given up
	}
	c.filling.Sequence, c.filling.Time = c.count, time.Now()
	c.count++
	if c.full {
		c.dropped++
	}
	c.filling, c.waiting, c.full = c.waiting, c.filling, true
	wake(c.fresh)
}

// why tells what it means that a read gave no frame.
func (c *Camera) why(err error, took time.Duration) error {
	switch {
	case err != nil:
		return err
	case took >= c.opt.readTimeout:
		return c.errTimeout()
	case c.src.live():
		return fmt.Errorf("camera: %s: %w after %d frames", c.src.name, ErrLost, c.count)
	case c.count == 0:
		return fmt.Errorf("camera: %s: %w: the file contains no frame that can be decoded", c.src.name, ErrOpen)
	}
	// OpenCV cannot tell a truncated file from the end of one, and the number
	// in the header is a hint: enough for a warning, not for an error.
	if announced := uint64(c.hints.Frames); announced > c.count+announced/50 {
		c.opt.log.Warn("video ended early; is the file truncated?", "source", c.src.name, "frames", c.count, "announced", announced)
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
