package camera

import (
	"log/slog"
	"time"
)

// State is what a source is doing.
type State int

const (
	// Connecting: the source is being opened, for the first time or again.
	Connecting State = iota
	// Streaming: frames arrive.
	Streaming
	// Stalled: the source is open but gave no frame within the read time-out.
	Stalled
	// Lost: the source ended, or could not be opened.
	Lost
	// Ended: there will be no more frames. It is always the last state.
	Ended
)

// String returns the state in lower case: "connecting", "streaming", "stalled",
// "lost" or "ended".
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Streaming:
		return "streaming"
	case Stalled:
		return "stalled"
	case Lost:
		return "lost"
	case Ended:
		return "ended"
	}
	return "unknown"
}

// A Status is one change of state.
type Status struct {
	Source  string // for people: without user, password and query
	State   State
	Time    time.Time
	Attempt int           // of opening the source since it last gave a frame, from 1; 0: it did until now
	Retry   time.Duration // of Lost: how long until the next attempt; 0 if there will be none
	Err     error         // of Stalled and Lost: why; of Ended: why, nil after Close or the end of a file
}

// Stats counts what a camera has done since Open.
type Stats struct {
	State      State
	Frames     uint64 // read from the source
	Dropped    uint64 // read, but replaced by a newer one before the loop asked
	Reconnects uint64 // times the source was opened again and gave a frame
}

// Stats returns the counts of this moment.
func (c *Camera) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.State = c.status.State
	return s
}

// note makes a change of state known, in the order in which states change. A
// repeated failure of the same state is told to the callback, but not logged
// again: a camera that is away for a week is one line, not a thousand.
func (c *Camera) note(s Status) {
	c.telling.Lock()
	defer c.telling.Unlock()
	s.Source, s.Time = c.src.name, time.Now()
	c.mu.Lock()
	before := c.status
	c.status = s
	if s.State != Connecting && s.State != Lost {
		c.failure = ""
	}
	repeated := s.Attempt > 1 && (s.State == Connecting || s.Err != nil && s.Err.Error() == c.failure)
	if s.State == Lost && s.Err != nil {
		c.failure = s.Err.Error()
	}
	c.mu.Unlock()
	level := slog.LevelInfo
	switch {
	case repeated || s.State == Connecting:
		level = slog.LevelDebug
	case s.State == Stalled || s.State == Lost || s.State == Ended && s.Err != nil && before.State != Lost:
		level = slog.LevelWarn
	}
	attrs := []any{"source", s.Source, "state", s.State.String(), "was", before.State.String(), "attempt", s.Attempt}
	if s.Retry > 0 {
		attrs = append(attrs, "retry", s.Retry)
	}
	if s.Err != nil {
		attrs = append(attrs, "error", s.Err)
	}
	c.opt.log.Log(c.context, level, "camera "+s.State.String(), attrs...)
	if c.opt.onStatus != nil {
		c.opt.onStatus(s)
	}
}
