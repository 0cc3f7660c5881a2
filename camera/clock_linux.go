//go:build cgo && gocv_videoio

package camera

import (
	"time"

	"golang.org/x/sys/unix"
)

// captured turns the time that a V4L2 driver gave a frame, in milliseconds of
// the monotonic clock, into a time of day. Drivers may give another clock's time
// or none: what is not of the last few seconds is the zero time.
func captured(milliseconds float64) time.Time {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return time.Time{}
	}
	age := time.Duration(ts.Nano()) - time.Duration(milliseconds*float64(time.Millisecond))
	const most = 5 * time.Second
	if milliseconds <= 0 || age < 0 || age > most {
		return time.Time{}
	}
	return time.Now().Add(-age)
}
