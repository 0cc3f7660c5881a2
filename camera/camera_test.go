package camera

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A script is a capture without OpenCV: it gives numbered frames as fast as it
// is asked, or as the test lets it.
type script struct {
	frames  int           // then it ends; -1: never
	gate    chan struct{} // if set, each read takes one token
	at      func(n int)   // if set, called before frame n is given
	err     error         // given at the end
	spacing time.Duration // between frames, by position

	n        int
	reads    atomic.Int64
	inside   atomic.Int32
	released atomic.Bool
	misuse   atomic.Bool
}

func (s *script) enter() {
	if s.inside.Add(1) != 1 || s.released.Load() {
		s.misuse.Store(true)
	}
}

func (s *script) leave() { s.inside.Add(-1) }

func (s *script) read(f *Frame) (bool, error) {
	s.enter()
	defer s.leave()
	s.reads.Add(1)
	if s.gate != nil {
		<-s.gate
	}
	if s.n == s.frames {
		return false, s.err
	}
	if s.at != nil {
		s.at(s.n)
	}
	f.resize(4, 2)
	for i := range f.pix {
		f.pix[i] = byte(s.n)
	}
	s.n++
	return true, nil
}

func (s *script) position() time.Duration { return time.Duration(s.n) * s.spacing }
func (s *script) info() Info              { return Info{Width: 4, Height: 2, Frames: max(s.frames, 0)} }
func (s *script) close() {
	s.enter()
	defer s.leave()
	s.released.Store(true)
}

func (s *script) open(t *testing.T, kind kind, opts ...Option) *Camera {
	t.Helper()
	src := source{kind: kind, name: "script"}
	o, err := newOptions(src, opts)
	require.NoError(t, err)
	c, err := open(context.Background(), src, o, func(source, *options) (capture, error) { return s, nil })
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, c.Close())
		<-c.gone
		assert.True(t, s.released.Load(), "capture not released")
		assert.False(t, s.misuse.Load(), "capture used by two goroutines, or after its release")
	})
	return c
}

func TestEveryFrameOfAFile(t *testing.T) {
	s := &script{frames: 100}
	c := s.open(t, kindFile)
	var n uint64
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		require.Equal(t, n, f.Sequence)
		require.Zero(t, f.Dropped)
		require.Equal(t, byte(n), f.pix[0])
		require.False(t, f.Time.IsZero())
		runtime.Gosched()
		require.Equal(t, byte(n), f.pix[len(f.pix)-1], "the frame changed while it was lent")
		n++
	}
	assert.EqualValues(t, 100, n)
	<-c.gone // the end of the file releases it, before Close
	for range c.Frames(context.Background()) {
		t.Fatal("a frame after the end")
	}
}

func TestBreakAndGoOn(t *testing.T) {
	c := (&script{frames: 10}).open(t, kindFile)
	var got []byte
	for len(got) < 10 {
		for f, err := range c.Frames(context.Background()) {
			require.NoError(t, err)
			got = append(got, f.pix[0])
			if len(got)%3 == 0 {
				break
			}
		}
	}
	assert.Equal(t, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, got)
}

func TestLatestOfALiveSource(t *testing.T) {
	s := &script{frames: -1, gate: make(chan struct{})}
	c := s.open(t, kindDevice)
	defer close(s.gate)
	s.gate <- struct{}{}
	turn := 0
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		switch turn {
		case 0:
			assert.EqualValues(t, 0, f.Sequence)
			// While the loop is busy the source gives 20 more frames. Once it
			// is asked for yet another, those have been delivered.
			for range 20 {
				s.gate <- struct{}{}
			}
			require.Eventually(t, func() bool { return s.reads.Load() == 22 }, 5*time.Second, time.Millisecond)
			assert.Equal(t, byte(0), f.pix[0], "the frame changed while it was lent")
		case 1:
			assert.Equal(t, byte(20), f.pix[0])
			assert.EqualValues(t, 20, f.Sequence)
			assert.EqualValues(t, 19, f.Dropped)
			s.gate <- struct{}{}
		case 2:
			assert.EqualValues(t, 21, f.Sequence)
			assert.EqualValues(t, 0, f.Dropped)
			return
		}
		turn++
	}
}

func TestEveryFrameOfALiveSource(t *testing.T) {
	s := &script{frames: 50}
	c := s.open(t, kindDevice, WithEveryFrame())
	var n uint64
	var last error
	for f, err := range c.Frames(context.Background()) {
		if last = err; err != nil {
			break
		}
		require.Equal(t, n, f.Sequence)
		n++
	}
	assert.EqualValues(t, 50, n)
	assert.ErrorIs(t, last, ErrLost)
}

func TestFileAtItsOwnSpeed(t *testing.T) {
	s := &script{frames: 5, spacing: 20 * time.Millisecond}
	c := s.open(t, kindFile, WithLatestFrame())
	start := time.Now()
	for _, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
	}
	// Four intervals lie between five frames; a timer never fires early.
	assert.GreaterOrEqual(t, time.Since(start), 80*time.Millisecond)
}

// last runs a loop to its end and returns its last error.
func last(ctx context.Context, c *Camera) (frames int, err error) {
	for f, e := range c.Frames(ctx) {
		if err = e; f != nil {
			frames++
		}
	}
	return frames, err
}

func TestEndsThatAreErrors(t *testing.T) {
	ctx := context.Background()
	t.Run("lost", func(t *testing.T) {
		c := (&script{frames: 3}).open(t, kindStream, WithEveryFrame())
		n, err := last(ctx, c)
		assert.Equal(t, 3, n)
		assert.ErrorIs(t, err, ErrLost)
		_, err = last(ctx, c)
		assert.ErrorIs(t, err, ErrLost, "a second loop learns why, too")
	})
	t.Run("format", func(t *testing.T) {
		c := (&script{frames: 1, err: ErrFormat}).open(t, kindFile)
		n, err := last(ctx, c)
		assert.Equal(t, 1, n)
		assert.ErrorIs(t, err, ErrFormat)
	})
	t.Run("no frame in a file", func(t *testing.T) {
		_, err := last(ctx, (&script{}).open(t, kindFile))
		assert.ErrorIs(t, err, ErrOpen)
	})
	t.Run("blocked driver", func(t *testing.T) {
		s := &script{frames: -1, gate: make(chan struct{})}
		c := s.open(t, kindDevice, WithReadTimeout(20*time.Millisecond))
		_, err := last(ctx, c)
		assert.ErrorIs(t, err, ErrTimeout)
		require.NoError(t, c.Close()) // returns although the driver does not
		assert.False(t, s.released.Load(), "released during a read")
		close(s.gate)
	})
	t.Run("half a frame", func(t *testing.T) {
		const timeout = 50 * time.Millisecond
		s := &script{frames: -1, at: func(n int) {
			if n == 3 {
				time.Sleep(timeout)
			}
		}}
		c := s.open(t, kindStream, WithReadTimeout(timeout), WithEveryFrame())
		n, err := last(ctx, c)
		assert.Equal(t, 3, n)
		assert.ErrorIs(t, err, ErrTimeout)
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		n, err := last(ctx, (&script{frames: 3}).open(t, kindFile))
		assert.Zero(t, n)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// During a blocked read, whatever ends the loop ends it at once; the read
// time-out is an hour here.
func TestBlockedRead(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(*Camera, context.CancelFunc)
		want error
	}{
		"cancel": {func(_ *Camera, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"close":  {func(c *Camera, _ context.CancelFunc) { c.shut() }, ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{frames: -1, gate: make(chan struct{})}
			cam := s.open(t, kindStream, WithReadTimeout(time.Hour))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan error)
			go func() {
				_, err := last(ctx, cam)
				ended <- err
			}()
			require.Eventually(t, func() bool { return s.reads.Load() == 1 }, 5*time.Second, time.Millisecond)
			c.act(cam, cancel)
			assert.ErrorIs(t, <-ended, c.want)
			close(s.gate)
		})
	}
}

func TestCloseWaitsForTheRead(t *testing.T) {
	s := &script{frames: -1, gate: make(chan struct{})}
	c := s.open(t, kindDevice)
	require.Eventually(t, func() bool { return s.reads.Load() == 1 }, 5*time.Second, time.Millisecond)
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(func() { assert.NoError(t, c.Close()); assert.True(t, s.released.Load()) })
	}
	<-c.closing
	assert.False(t, s.released.Load())
	close(s.gate)
	closers.Wait()
	_, err := last(context.Background(), c)
	assert.ErrorIs(t, err, ErrClosed)
}

func TestCloseInsideTheLoop(t *testing.T) {
	c := (&script{frames: -1}).open(t, kindFile)
	var errs []error
	for _, err := range c.Frames(context.Background()) {
		errs = append(errs, err)
		require.NoError(t, c.Close())
	}
	require.Len(t, errs, 2)
	assert.NoError(t, errs[0])
	assert.ErrorIs(t, errs[1], ErrClosed)
}

func TestOneLoopAtATime(t *testing.T) {
	c := (&script{frames: 3}).open(t, kindFile)
	for _, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		_, err := last(context.Background(), c)
		assert.ErrorIs(t, err, ErrBusy)
	}
}

func TestOpeningIsBounded(t *testing.T) {
	o, err := newOptions(source{}, []Option{WithOpenTimeout(10 * time.Millisecond)})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		ctx  func() (context.Context, context.CancelFunc)
		want error
	}{
		"time-out": {func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }, ErrTimeout},
		"deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Millisecond)
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := c.ctx()
			defer cancel()
			s := &script{}
			release := make(chan struct{})
			_, err := open(ctx, source{name: "slow"}, o, func(source, *options) (capture, error) {
				<-release
				return s, nil
			})
			assert.ErrorIs(t, err, c.want)
			assert.ErrorContains(t, err, "slow")
			close(release)
			assert.Eventually(t, s.released.Load, 5*time.Second, time.Millisecond, "what was opened too late must be released")
		})
	}
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := Open(ctx, "0")
		assert.ErrorIs(t, err, context.Canceled)
	})
	t.Run("error", func(t *testing.T) {
		mine := errors.New("mine")
		_, err := open(context.Background(), source{}, o, func(source, *options) (capture, error) { return nil, mine })
		assert.ErrorIs(t, err, mine)
	})
}

// mallocs counts the allocations of a loop over n frames, once it runs.
func mallocs(t *testing.T, c *Camera, n int) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	turn := 0
	for _, err := range c.Frames(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		switch turn {
		case 20:
			runtime.ReadMemStats(&before)
		case 20 + n:
			runtime.ReadMemStats(&after)
			return after.Mallocs - before.Mallocs
		}
		turn++
	}
	t.Fatal("too few frames")
	return 0
}

// The runtime's own goroutines allocate a little now and then, so the limit is
// far below one per frame rather than nothing.
func TestNoAllocationPerFrame(t *testing.T) {
	for name, opts := range map[string][]Option{"every": {WithEveryFrame()}, "latest": {WithLatestFrame()}} {
		c := (&script{frames: -1}).open(t, kindDevice, opts...)
		assert.Less(t, mallocs(t, c, 1000), uint64(100), name)
	}
}
