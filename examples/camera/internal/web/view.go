package web

import (
	"bytes"
	"image"
	"image/jpeg"
	"sync"
	"time"

	"github.com/seedge/seedge/examples/camera/internal/thumb"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

const (
	previewWidth = 640
	previewEvery = 100 * time.Millisecond
	sampleEvery  = 500 * time.Millisecond
	samples      = 120
	changes      = 20
)

// A sample is a point of the graph.
type sample struct {
	Latency float64 `json:"latency_ms"`
	FPS     float64 `json:"fps"`
}

// A change is a line of the label history.
type change struct {
	Time  time.Time `json:"time"`
	Label string    `json:"label"`
}

// A snapshot is what the page is told of a camera.
type snapshot struct {
	Name    string             `json:"name"`
	State   string             `json:"state"`
	Since   time.Time          `json:"since"`
	Latest  *watch.Observation `json:"latest"` // null before the first frame
	Samples []sample           `json:"samples"`
	History []change           `json:"history"` // the newest last
}

// A view is one camera as the page sees it.
type view struct {
	name string

	mu       sync.Mutex
	state    string
	since    time.Time
	latest   watch.Observation
	any      bool
	samples  []sample
	sampled  time.Time
	history  []change
	watchers int
	encoding bool // an encoder runs
	copied   time.Time
	next     thumb.Picture // to be encoded
	fresh    bool
	wake     chan struct{} // has an element when next is fresh, or nobody watches any more
	jpeg     []byte        // the latest encoded; never changed once it is here
	arrived  chan struct{} // closed when another jpeg is there
}

func newView(name string) *view {
	return &view{name: name, state: "connecting", since: time.Now(), wake: make(chan struct{}, 1), arrived: make(chan struct{})}
}

func (v *view) observe(o *watch.Observation, img image.Image) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	v.latest, v.any = *o, true
	if now.Sub(v.sampled) >= sampleEvery {
		v.sampled = now
		v.samples = shift(v.samples, sample{o.Latency, o.FPS}, samples)
	}
	if o.Changed {
		v.history = shift(v.history, change{o.Time, o.Label}, changes)
	}
	if v.watchers > 0 && now.Sub(v.copied) >= previewEvery {
		v.copied, v.fresh = now, true
		v.next.Copy(img, previewWidth)
		v.nudge()
	}
}

func shift[T any](list []T, next T, most int) []T {
	if len(list) == most {
		list = append(list[:0], list[1:]...)
	}
	return append(list, next)
}

func (v *view) nudge() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

func (v *view) snapshot() snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := snapshot{
		Name: v.name, State: v.state, Since: v.since,
		Samples: append([]sample{}, v.samples...), History: append([]change{}, v.history...),
	}
	if v.any {
		o := v.latest
		s.Latest = &o
	}
	return s
}

// enter and leave count those who watch; the first one starts the encoder, and it
// ends after the last.
func (v *view) enter() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.watchers++; v.watchers == 1 {
		v.jpeg = nil // of the last time somebody looked
	}
	// The one from before may not have noticed yet that it had nobody: it goes on.
	if !v.encoding {
		v.encoding = true
		go v.encode()
	}
}

func (v *view) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.watchers--
	v.nudge()
}

// encode makes JPEGs, for all watchers at once.
func (v *view) encode() {
	var picture thumb.Picture
	var rgba image.RGBA
	for {
		<-v.wake
		v.mu.Lock()
		if v.watchers == 0 {
			v.encoding = false
			v.mu.Unlock()
			return
		}
		fresh := v.fresh
		if fresh {
			picture, v.next, v.fresh = v.next, picture, false
		}
		v.mu.Unlock()
		if !fresh {
			continue
		}
		picture.RGBA(&rgba)
		var b bytes.Buffer
		if jpeg.Encode(&b, &rgba, &jpeg.Options{Quality: 75}) != nil {
			continue // a frame of no size
		}
		v.mu.Lock()
		v.jpeg = b.Bytes()
		close(v.arrived)
		v.arrived = make(chan struct{})
		v.mu.Unlock()
	}
}

// picture returns the latest JPEG, nil if there is none yet, and what is closed
// when there is another.
func (v *view) picture() (jpeg []byte, next <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.jpeg, v.arrived
}
