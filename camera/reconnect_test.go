package camera

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A diary keeps what WithStatus is told.
type diary struct {
	mu  sync.Mutex
	all []Status
}

func (d *diary) option() Option {
	return WithStatus(func(s Status) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.all = append(d.all, s)
	})
}

func (d *diary) entries() []Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.all)
}

func (d *diary) states() (states []State) {
	for _, s := range d.entries() {
		states = append(states, s.State)
	}
	return states
}

// soon is a Backoff for tests.
var soon = Backoff{First: time.Millisecond, Max: 2 * time.Millisecond}

// openings gives what a source answers each time it is opened: a *script or an
// error. The last one stays.
type openings struct {
	answers []any
	n       int
}

func (o *openings) open(source, *options) (capture, error) {
	a := o.answers[min(o.n, len(o.answers)-1)]
	o.n++
	if err, bad := a.(error); bad {
		return nil, err
	}
	return a.(*script), nil
}

func (o *openings) camera(t *testing.T, opts ...Option) (*Camera, error) {
	t.Helper()
	src := source{kind: kindStream, name: "script"}
	all, err := newOptions(src, append([]Option{WithReconnect(soon)}, opts...))
	require.NoError(t, err)
	c, err := open(context.Background(), src, all, o.open)
	if err == nil {
		t.Cleanup(func() {
			assert.NoError(t, c.Close())
			<-c.gone
		})
	}
	return c, err
}

func TestReconnects(t *testing.T) {
	away := fmt.Errorf("%w: away", ErrOpen)
	o := &openings{answers: []any{&script{frames: 3}, away, away, &script{frames: 2}, &script{frames: -1}}}
	var d diary
	log, text := logged()
	c, err := o.camera(t, WithEveryFrame(), d.option(), log)
	require.NoError(t, err)
	var connections, sequences []uint64
	lost := 0
	for f, err := range c.Frames(context.Background()) {
		if err != nil {
			assert.Nil(t, f)
			assert.True(t, errors.Is(err, ErrLost) || errors.Is(err, ErrOpen), "%v", err)
			if lost++; lost > 10 {
				t.Fatal("no end of errors")
			}
			continue // and so does the loop
		}
		connections, sequences = append(connections, f.Connection), append(sequences, f.Sequence)
		if len(connections) == 7 {
			break
		}
	}
	assert.Equal(t, []uint64{1, 1, 1, 2, 2, 3, 3}, connections)
	assert.Equal(t, []uint64{0, 1, 2, 3, 4, 5, 6}, sequences, "numbers go on")
	assert.GreaterOrEqual(t, lost, 2, "each interruption is seen by the loop")
	assert.EqualValues(t, 2, c.Stats().Reconnects)
	require.NoError(t, c.Close())
	<-c.gone
	assert.Equal(t, []State{
		Connecting, Streaming, Lost, Connecting, Lost, Connecting, Lost, Connecting, Streaming, Lost, Connecting, Streaming, Ended,
	}, d.states())
	for i, s := range d.entries() {
		assert.Equal(t, "script", s.Source)
		assert.False(t, s.Time.IsZero())
		assert.Equal(t, s.State == Lost, s.Err != nil, "%d %v", i, s)
		assert.Equal(t, s.State == Lost, s.Retry > 0, "%d %v", i, s)
	}
	assert.Equal(t, []int{1, 1, 0, 1, 1, 2, 2, 3, 3, 0, 1, 1, 0}, func() (n []int) {
		for _, s := range d.entries() {
			n = append(n, s.Attempt)
		}
		return n
	}())
	assert.Contains(t, text(), "camera lost")
	assert.Contains(t, text(), "away")
}

// A source that is not there yet is waited for; what cannot mend is an error.
func TestReconnectFromTheBeginning(t *testing.T) {
	o := &openings{answers: []any{ErrNotFound, ErrTimeout, &script{frames: -1}}}
	c, err := o.camera(t)
	require.NoError(t, err)
	for f, err := range c.Frames(context.Background()) {
		if err == nil {
			assert.EqualValues(t, 1, f.Connection)
			break
		}
	}
	assert.Zero(t, c.Stats().Reconnects, "the first connection is not a reconnection")
	assert.Equal(t, 4, c.Info().Width)
	for _, never := range []error{ErrBuild, ErrSize, ErrRate, ErrPixelFormat, ErrOption} {
		_, err := (&openings{answers: []any{never}}).camera(t)
		assert.ErrorIs(t, err, never)
	}
}

// No turn of the loop lasts longer than the read time-out, and breaking, closing
// and cancelling work while the source is away.
func TestLoopWhileAway(t *testing.T) {
	away := fmt.Errorf("%w: away", ErrNotFound)
	c, err := (&openings{answers: []any{away}}).camera(t, WithReadTimeout(20*time.Millisecond), WithReconnect(Backoff{time.Hour, time.Hour}))
	require.NoError(t, err)
	turns := 0
	for f, err := range c.Frames(context.Background()) {
		require.Nil(t, f)
		require.ErrorIs(t, err, ErrNotFound)
		if turns > 0 { // the first tells of the loss itself
			require.ErrorIs(t, err, ErrTimeout)
		}
		if turns++; turns == 3 {
			break
		}
	}
	assert.Equal(t, 3, turns)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var end error
	for _, err := range c.Frames(ctx) {
		cancel()
		end = err
	}
	assert.ErrorIs(t, end, context.Canceled)

	for _, err := range c.Frames(context.Background()) {
		require.NoError(t, c.Close())
		end = err
	}
	assert.ErrorIs(t, end, ErrClosed)
}

// A driver that hangs is told of as stalled, and released once it returns.
func TestStallAndRecovery(t *testing.T) {
	hang := &script{frames: -1, gate: make(chan struct{}, 2)}
	hang.gate <- struct{}{}
	var d diary
	o := &openings{answers: []any{hang, &script{frames: -1}}}
	c, err := o.camera(t, WithReadTimeout(20*time.Millisecond), d.option())
	require.NoError(t, err)
	var end error
	for _, err := range c.Frames(context.Background()) {
		if end = err; err != nil {
			break
		}
	}
	assert.ErrorIs(t, end, ErrTimeout)
	require.Eventually(t, func() bool { return c.Stats().State == Stalled }, 5*time.Second, time.Millisecond)
	assert.False(t, hang.released.Load(), "released during a read")
	hang.gate <- struct{}{}
	for f, err := range c.Frames(context.Background()) {
		if err == nil && f.Connection == 2 {
			break
		}
	}
	assert.True(t, hang.released.Load())
	assert.False(t, hang.misuse.Load())
	assert.Subset(t, d.states(), []State{Connecting, Streaming, Stalled, Lost})
	close(hang.gate)
}

func TestFilesAreNotReconnected(t *testing.T) {
	var d diary
	c := (&script{frames: 3}).open(t, kindFile, WithReconnect(soon), d.option())
	n, err := last(context.Background(), c)
	assert.Equal(t, 3, n)
	assert.NoError(t, err)
	<-c.gone
	assert.Equal(t, []State{Connecting, Streaming, Ended}, d.states())
}

func TestBackoff(t *testing.T) {
	const first, most = 100 * time.Millisecond, time.Second
	r := retrier{Backoff: Backoff{first, most}}
	for _, want := range []time.Duration{first, 2 * first, 4 * first, 8 * first, most, most} {
		d := r.wait(-1)
		assert.GreaterOrEqual(t, d, want/2)
		assert.LessOrEqual(t, d, want)
	}
	assert.Greater(t, r.wait(time.Millisecond), first, "a moment of frames is no recovery")
	assert.LessOrEqual(t, r.wait(time.Minute), first)
	for range 100 {
		assert.LessOrEqual(t, r.wait(-1), most)
	}
	different := map[time.Duration]bool{}
	for range 10 {
		different[r.wait(-1)] = true
	}
	assert.Greater(t, len(different), 1, "the waits are drawn")
}

func TestReconnectOptions(t *testing.T) {
	live := source{kind: kindStream}
	o, err := newOptions(live, []Option{WithReconnect(Backoff{})})
	require.NoError(t, err)
	assert.Equal(t, Backoff{DefaultBackoffFirst, DefaultBackoffMax}, o.backoff)
	o, err = newOptions(live, []Option{WithReconnect(Backoff{Max: 100 * time.Millisecond})})
	require.NoError(t, err)
	assert.Equal(t, 100*time.Millisecond, o.backoff.First)
	for _, b := range []Backoff{{First: -1}, {First: 2 * time.Second, Max: time.Second}, {Max: 25 * time.Hour}, {Max: -1}} {
		_, err := newOptions(live, []Option{WithReconnect(b)})
		assert.ErrorIs(t, err, ErrOption, "%v", b)
	}
}

func TestStates(t *testing.T) {
	for s, want := range map[State]string{Connecting: "connecting", Streaming: "streaming", Stalled: "stalled", Lost: "lost", Ended: "ended", 9: "unknown"} {
		assert.Equal(t, want, s.String())
	}
}
