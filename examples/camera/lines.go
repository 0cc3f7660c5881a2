package main

import (
	"encoding/json"
	"fmt"
	"image"
	"io"

	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// lines prints observations as JSON, one a line.
type lines struct {
	w           io.Writer
	changesOnly bool
	err         error
}

// Observe implements watch.Sink.
func (l *lines) Observe(o *watch.Observation, _ image.Image) {
	if l.err != nil || l.changesOnly && !o.Changed {
		return
	}
	text, err := json.Marshal(o)
	if err == nil {
		_, err = l.w.Write(append(text, '\n'))
	}
	l.err = err
}

// failure is why nothing can be printed any more: a reader that went away ends
// the program.
func (l *lines) failure() error {
	if l.err != nil {
		return fmt.Errorf("writing the results: %w", l.err)
	}
	return nil
}

// name is a class's label, or its number in a model without labels.
func name(label string, index int) string {
	if label == "" {
		return fmt.Sprintf("class %d", index)
	}
	return label
}
