package throttle

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// every is how often a Watcher looks: a few small files.
const every = 5 * time.Second

// A Watcher looks at the machine in the background.
type Watcher struct {
	sys     string
	log     *slog.Logger
	warning atomic.Value // a string
	logged  bool
	done    chan struct{}
	ended   chan struct{}
	once    sync.Once
}

// Watch looks at this machine until Close. On one that tells nothing, and on other
// systems than Linux, there is never a warning.
func Watch(log *slog.Logger) *Watcher { return watch("/sys", log, every) }

func watch(sys string, log *slog.Logger, every time.Duration) *Watcher {
	w := &Watcher{sys: sys, log: log, done: make(chan struct{}), ended: make(chan struct{})}
	w.look()
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-tick.C:
				w.look()
			}
		}
	}()
	return w
}

func (w *Watcher) look() {
	warning := machine{w.sys}.warning()
	w.warning.Store(warning)
	// Heat comes and goes with each gust of wind; the page shows that, and the log
	// is for what somebody should do something about.
	if warning != "" && !w.logged {
		w.logged = true
		w.log.Warn("the processor is throttled; this is logged once", "reason", warning)
	}
}

// Warning is what slows the processor down now, as a sentence, and "" if nothing does.
func (w *Watcher) Warning() string { return w.warning.Load().(string) }

// Close ends it.
func (w *Watcher) Close() error {
	w.once.Do(func() { close(w.done) })
	<-w.ended
	return nil
}
