package steady

import (
	"fmt"
	"math"
	"time"

	"github.com/seedge/seedge/sdk"
)

// A Rule says when a label is shown.
type Rule struct {
	Time      time.Duration // of the exponential mean; 0: each frame by itself
	Threshold float32       // a label is shown once its mean has reached it
	Margin    float32       // it stays until its mean is lower than Threshold by this, or than another's
}

// A Label averages one camera's predictions. The zero value with a Rule is ready.
type Label struct {
	Rule
	means []float32 // of each class
	last  time.Time
	shown int // class + 1; 0: none
	names []string
}

// Add takes the predictions for all classes of a frame captured at a time. It
// returns the label to show, "" for none, with its mean probability (that of the
// best class where none is shown), and whether it is another than before. It
// allocates nothing after the first frame.
func (l *Label) Add(at time.Time, predictions []sdk.Prediction) (name string, probability float32, changed bool) {
	if len(predictions) != len(l.means) {
		l.means, l.names, l.last = make([]float32, len(predictions)), make([]string, len(predictions)), time.Time{}
	}
	// How much of the mean is this frame's, by the time since the last one.
	part := float32(1)
	if !l.last.IsZero() && l.Time > 0 {
		part = float32(1 - math.Exp(-max(at.Sub(l.last), 0).Seconds()/l.Time.Seconds()))
	}
	l.last = at
	best := 0
	for _, p := range predictions {
		l.means[p.Index] += part * (p.Probability - l.means[p.Index])
		if l.names[p.Index] == "" {
			l.names[p.Index] = p.Label
			if p.Label == "" {
				l.names[p.Index] = fmt.Sprintf("class %d", p.Index)
			}
		}
	}
	for i, m := range l.means {
		if m > l.means[best] {
			best = i
		}
	}
	if len(l.means) == 0 {
		return "", 0, false
	}
	before := l.shown
	if l.shown > len(l.means) {
		l.shown = 0 // another model has fewer classes
	}
	if l.shown > 0 {
		mine := l.means[l.shown-1]
		if mine < l.Threshold-l.Margin || l.means[best] > mine+l.Margin {
			l.shown = 0
		}
	}
	if l.shown == 0 && l.means[best] >= l.Threshold {
		l.shown = best + 1
	}
	if l.shown == 0 {
		return "", l.means[best], before != 0
	}
	return l.names[l.shown-1], l.means[l.shown-1], l.shown != before
}

// Reset forgets what was seen, after an interruption. The label that is shown is
// another than before only if the next one is.
func (l *Label) Reset() {
	clear(l.means)
	l.last = time.Time{}
}
