package watch

import (
	"image"
	"time"

	"github.com/seedge/seedge/camera"
)

// An Observation is what a camera shows in one frame.
type Observation struct {
	Camera      string    `json:"camera"`
	Time        time.Time `json:"time"`        // when the frame was captured
	Frame       uint64    `json:"frame"`       // its number, from 0
	Dropped     uint64    `json:"dropped"`     // frames left out before it
	Label       string    `json:"label"`       // steadied; "" while nothing is sure enough
	Probability float32   `json:"probability"` // steadied, of Label; of the best class where that is ""
	Changed     bool      `json:"changed"`     // Label is another than in the frame before
	Raw         string    `json:"raw"`         // the best class of this frame alone
	RawScore    float32   `json:"raw_probability"`
	FPS         float64   `json:"fps"`        // frames per second, of late
	Latency     float64   `json:"latency_ms"` // from capture to result
}

// A Sink takes what the cameras show. Its methods are called on the goroutine that
// runs the cameras' results and must return quickly: a slow reader is the sink's
// to deal with. The image is valid until Observe returns.
type Sink interface {
	Observe(o *Observation, img image.Image)
}

// A StatusSink is a Sink that wants the cameras' changes of state as well. Status
// may be called from several goroutines at once.
type StatusSink interface {
	Status(name string, s camera.Status)
}
