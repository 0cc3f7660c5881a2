package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/broker"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// text is a log that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func publish(t *testing.T, to *url.URL, change func(o *Options)) (*Publisher, *text) {
	t.Helper()
	log := &text{}
	o := Options{
		Server: to, Topic: "seedge/test", Discovery: "homeassistant", Queue: 20, Interval: time.Hour,
		Cameras: []string{"door"}, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p, log
}

func see(p *Publisher, frame int) {
	p.Observe(&watch.Observation{Camera: "door", Frame: uint64(frame), Label: fmt.Sprint("label ", frame), Changed: true, Time: time.Now()}, nil)
}

func frames(t *testing.T, results []string) (all []int) {
	for _, r := range results {
		var o watch.Observation
		require.NoError(t, json.Unmarshal([]byte(r), &o))
		all = append(all, int(o.Frame))
	}
	return all
}

const (
	status  = "seedge/test/status"
	state   = "seedge/test/door/state"
	results = "seedge/test/door/result"
)

// Mosquitto is killed and comes back without memory. What was seen meanwhile
// arrives, in order, as far as the queue could hold it; what is seen afterwards
// does; and all that a newcomer wants to know is there again.
func TestBrokerKilledAndRestarted(t *testing.T) {
	b := broker.New(t, "")
	g := newGate(t, b.Address)
	h := listen(t, dial(t, b.Address), "", "")
	p, log := publish(t, g.url("mqtt"), nil)
	h.until(t, status, "online")
	p.Status("door", camera.Status{State: camera.Streaming})
	h.until(t, state, "streaming")
	see(p, 1)
	require.Eventually(t, func() bool { return len(h.of(results)) == 1 }, 10*time.Second, 5*time.Millisecond)

	g.shut() // so that the listener is back before what it listens for
	b.Kill()
	for i := range 100 {
		see(p, 100+i)
		p.box.mu.Lock()
		held := p.box.count
		p.box.mu.Unlock()
		require.LessOrEqual(t, held, 20, "the queue's bound")
	}
	p.Status("door", camera.Status{State: camera.Lost})
	b.Start()
	h = listen(t, dial(t, b.Address), "", "")
	assert.Empty(t, h.of(status), "a broker without memory")
	g.reopen()

	require.Eventually(t, func() bool { return len(h.of(results)) >= 20 }, 20*time.Second, 5*time.Millisecond, "%s", log)
	var want []int
	for i := 180; i < 200; i++ {
		want = append(want, i)
	}
	assert.Equal(t, want, frames(t, h.of(results)), "the newest that the queue holds, in order")
	assert.Equal(t, "online", h.last(status))
	assert.Equal(t, "lost", h.last(state), "the state of now, not those in between")
	assert.NotEmpty(t, h.last("homeassistant/sensor/seedge_test_door/label/config"))
	see(p, 300)
	require.Eventually(t, func() bool { return len(h.of(results)) == 21 }, 10*time.Second, 5*time.Millisecond)
	assert.Contains(t, log.String(), "dropped=80 queue=20")
	assert.Contains(t, log.String(), "mqtt connection lost")
}

// A client that vanishes leaves its last will, and takes it back when it returns.
func TestLastWill(t *testing.T) {
	b := broker.New(t, "")
	g := newGate(t, b.Address)
	h := listen(t, dial(t, b.Address), "", "")
	publish(t, g.url("mqtt"), nil)
	h.until(t, status, "online")
	g.shut()
	h.until(t, status, "offline")
	g.reopen()
	h.until(t, status, "online")
}

// Whoever comes later is told by the broker what it keeps.
func TestRetainedAndGoodbye(t *testing.T) {
	b := broker.New(t, "")
	p, _ := publish(t, &url.URL{Scheme: "mqtt", Host: b.Address}, nil)
	see(p, 7)
	require.NoError(t, p.Close())
	h := listen(t, dial(t, b.Address), "", "")
	h.until(t, status, "offline")
	require.Eventually(t, func() bool { return len(h.of(results)) == 1 }, 10*time.Second, 5*time.Millisecond)
	assert.Equal(t, []int{7}, frames(t, h.of(results)))
}

// Home Assistant's rules: topics, and what a sensor must have.
func TestDiscovery(t *testing.T) {
	b := broker.New(t, "")
	h := listen(t, dial(t, b.Address), "", "")
	publish(t, &url.URL{Scheme: "mqtt", Host: b.Address}, func(o *Options) { o.Cameras = []string{"door", "yard"} })
	ids := map[string]bool{}
	for _, cam := range []string{"door", "yard"} {
		for part, topic := range map[string]string{"label": "result", "state": "state"} {
			config := "homeassistant/sensor/seedge_test_" + cam + "/" + part + "/config"
			require.Eventually(t, func() bool { return h.last(config) != "" }, 10*time.Second, 5*time.Millisecond, config)
			var s sensor
			require.NoError(t, json.Unmarshal([]byte(h.last(config)), &s))
			assert.Equal(t, "seedge/test/"+cam+"/"+topic, s.StateTopic)
			assert.Equal(t, status, s.Availability[0].Topic)
			assert.Equal(t, []string{"seedge_test_" + cam}, s.Device.Identifiers)
			assert.NotEmpty(t, s.Origin.Name)
			assert.False(t, ids[s.UniqueID], "%s twice", s.UniqueID)
			ids[s.UniqueID] = true
		}
	}
}

func TestInterval(t *testing.T) {
	p := &Publisher{o: Options{Topic: "x", Interval: time.Second}, box: newOutbox(100), last: map[string]time.Time{}}
	start := time.Now()
	for i := range 50 {
		p.Observe(&watch.Observation{Camera: "a", Frame: uint64(i), Time: start.Add(time.Duration(i) * 100 * time.Millisecond), Changed: i == 25}, nil)
	}
	var got []int
	for m, ok := p.box.peek(); ok; m, ok = p.box.peek() {
		got = append(got, frames(t, []string{string(m.payload)})...)
		p.box.sent(m)
	}
	assert.Equal(t, []int{0, 10, 20, 25, 35, 45}, got)
}

// Without a broker nothing waits, not even the end.
func TestCloseWithoutBroker(t *testing.T) {
	b := broker.New(t, "")
	b.Kill()
	p, log := publish(t, &url.URL{Scheme: "mqtt", Host: b.Address}, nil)
	see(p, 1)
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("not connected")) }, 10*time.Second, 5*time.Millisecond)
	done := make(chan struct{})
	go func() {
		assert.NoError(t, p.Close())
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close hangs")
	}
}
