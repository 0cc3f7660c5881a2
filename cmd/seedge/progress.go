package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// patience is how long a command works before it shows a bar.
const patience = time.Second

// progress is a bar on a terminal; elsewhere it shows nothing.
type progress struct {
	w     io.Writer
	shown bool // there is a terminal to show it on
	since time.Time
	stage string
	bar   *progressbar.ProgressBar
}

func (a *app) progress() *progress {
	return &progress{w: a.errs, shown: isTerminal(a.errs), since: time.Now()}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set says that done of total steps of a stage are finished.
func (p *progress) set(stage string, done, total int) {
	if !p.shown || time.Since(p.since) < patience {
		return
	}
	if p.bar == nil || stage != p.stage {
		p.finish()
		p.stage = stage
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(stage),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true))
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn stops nothing
}

// finish takes the bar away, so that results and errors stand on a clean line.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
