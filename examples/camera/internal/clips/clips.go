package clips

import (
	"fmt"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/thumb"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

const (
	rate    = 10              // frames per second of a clip, at most
	width   = 640             // pixels, at most
	longest = 2 * time.Minute // then another clip begins
	backlog = 64              // frames that wait for the disk
)

// Options of a Recorder.
type Options struct {
	Folder        string
	Labels        []string // that begin a clip; none: any
	Before, After time.Duration
	Limit         int64 // bytes in Folder
	Log           *slog.Logger
}

// A Recorder is a watch.Sink that writes clips.
type Recorder struct {
	opt    Options
	mu     sync.Mutex // of tracks
	tracks map[string]*track
	lost   atomic.Uint64
	folder sync.Mutex // held while it is tidied
}

// New makes a recorder and its folder, and removes what a crash left unfinished.
func New(o Options) (*Recorder, error) {
	if err := os.MkdirAll(o.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("clips: %w", err)
	}
	// Find out now, not at the first sighting.
	probe, err := os.CreateTemp(o.Folder, ".probe*")
	if err != nil {
		return nil, fmt.Errorf("clips: %w", err)
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	unfinished, _ := filepath.Glob(filepath.Join(o.Folder, ".clip-*.avi.*.avi"))
	for _, path := range unfinished {
		_ = os.Remove(path)
	}
	r := &Recorder{opt: o, tracks: map[string]*track{}}
	r.tidy()
	return r, nil
}

// Lost counts frames that were left out because the disk was too slow.
func (r *Recorder) Lost() uint64 { return r.lost.Load() }

// Close finishes the clips that are being written.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		close(t.work)
	}
	for _, t := range r.tracks {
		<-t.done
	}
	r.tracks = map[string]*track{}
	return nil
}

// A moment is a frame that is kept.
type moment struct {
	thumb.Picture
	at time.Time
}

// A job is what the writing goroutine is told: a frame of the clip, or its end.
type job struct {
	frame *moment
	label string // of a frame that begins a clip
	end   bool
}

// A track is one camera's recording. All but work, done and free belongs to the
// results' loop.
type track struct {
	name    string
	ring    []*moment // the latest frames, oldest first
	last    time.Time // of the latest frame that was kept
	until   time.Time // of the clip
	began   time.Time
	writing bool
	work    chan job
	free    chan *moment
	done    chan struct{}
}

// Observe keeps the frame and begins, continues or ends a clip.
func (r *Recorder) Observe(o *watch.Observation, img image.Image) {
	t := r.track(o.Camera)
	seen := o.Label != "" && (len(r.opt.Labels) == 0 || slices.Contains(r.opt.Labels, o.Label))
	if seen {
		t.until = o.Time.Add(r.opt.After)
	}
	over := t.writing && (o.Time.After(t.until) || o.Time.Sub(t.began) > longest)
	if over {
		if !t.send(job{end: true}, true) {
			return
		}
		t.writing = false
	}
	begins := seen && !t.writing
	if since := o.Time.Sub(t.last); !begins && since >= 0 && since < time.Second/rate {
		return
	}
	t.last = o.Time
	m := t.moment()
	m.Copy(img, width)
	m.at = o.Time
	switch {
	case t.writing:
		r.add(t, job{frame: m})
	case begins:
		t.writing, t.began = true, o.Time
		label := o.Label
		for _, before := range append(t.ring, m) {
			r.add(t, job{frame: before, label: label})
			label = ""
		}
		t.ring = t.ring[:0]
	default:
		t.keep(m, r.opt.Before)
	}
}

func (r *Recorder) track(name string) *track {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tracks[name]
	if t == nil {
		t = &track{name: name, work: make(chan job, backlog+r.prerolls()), free: make(chan *moment, backlog), done: make(chan struct{})}
		r.tracks[name] = t
		go r.write(t)
	}
	return t
}

// prerolls is how many frames there are before a sighting.
func (r *Recorder) prerolls() int { return int(r.opt.Before/(time.Second/rate)) + 1 }

// keep puts a frame into the ring and takes out what is too old.
func (t *track) keep(m *moment, before time.Duration) {
	most := int(before/(time.Second/rate)) + 1
	for len(t.ring) > 0 && (m.at.Sub(t.ring[0].at) > before || len(t.ring) >= most) {
		t.recycle(t.ring[0])
		t.ring = append(t.ring[:0], t.ring[1:]...)
	}
	t.ring = append(t.ring, m)
}

func (t *track) moment() *moment {
	select {
	case m := <-t.free:
		return m
	default:
		return new(moment)
	}
}

func (t *track) recycle(m *moment) {
	select {
	case t.free <- m:
	default:
	}
}

func (r *Recorder) add(t *track, j job) {
	if !t.send(j, j.label != "") {
		r.lost.Add(1)
		t.recycle(j.frame)
	}
}

// send hands a job to the writer if there is room. One place is kept for jobs
// that must not be lost: the beginning and the end of a clip.
func (t *track) send(j job, must bool) bool {
	if !must && len(t.work) >= cap(t.work)-2 {
		return false
	}
	select {
	case t.work <- j:
		return true
	default:
		return false
	}
}

// write encodes a track's clips.
func (r *Recorder) write(t *track) {
	defer close(t.done)
	var w *camera.Writer
	finish := func() {
		if w != nil {
			if err := w.Close(); err != nil {
				r.opt.Log.Error("clip not written", "camera", t.name, "error", err)
			}
			w = nil
			r.tidy()
		}
	}
	defer finish()
	for j := range t.work {
		if j.end {
			finish()
			continue
		}
		if j.label != "" {
			finish()
			name := fmt.Sprintf("clip-%s-%s-%s.avi", t.name, j.frame.at.UTC().Format("20060102T150405.000"), safe(j.label))
			var err error
			if w, err = camera.NewWriter(filepath.Join(r.opt.Folder, name), rate, j.frame.Width, j.frame.Height); err != nil {
				r.opt.Log.Error("clip not begun", "camera", t.name, "error", err)
			} else {
				r.opt.Log.Info("clip begun", "camera", t.name, "file", name)
			}
		}
		if w != nil {
			if err := w.Write(j.frame); err != nil {
				// A camera may come back with another size; the clip ends there.
				r.opt.Log.Warn("clip ends early", "camera", t.name, "error", err)
				finish()
			}
		}
		t.recycle(j.frame)
	}
}

// safe makes a label a part of a file's name.
func safe(label string) string {
	label = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, label)
	return label[:min(len(label), 40)]
}

// tidy removes the oldest clips until the folder is below its limit. Other files
// in it are neither counted nor touched.
func (r *Recorder) tidy() {
	r.folder.Lock()
	defer r.folder.Unlock()
	paths, _ := filepath.Glob(filepath.Join(r.opt.Folder, "clip-*.avi"))
	type clip struct {
		path string
		size int64
		at   time.Time
	}
	var all []clip
	var total int64
	for _, p := range paths {
		if info, err := os.Lstat(p); err == nil && info.Mode().IsRegular() {
			all = append(all, clip{p, info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	slices.SortFunc(all, func(a, b clip) int { return a.at.Compare(b.at) })
	for _, c := range all {
		if total <= r.opt.Limit {
			return
		}
		if err := os.Remove(c.path); err != nil {
			r.opt.Log.Error("old clip not removed", "error", err)
			continue
		}
		total -= c.size
	}
}
