package quant

import (
	"fmt"
	"runtime"
	"strings"
)

// Ranges is a way of choosing the channels' ranges from what calibration saw.
type Ranges int

// The ways of choosing ranges.
const (
	// MinMax holds every value seen on the calibration images.
	MinMax Ranges = iota
	// Percentile clips each channel to the middle Options.Percentile percent.
	Percentile
	// MSE chooses a margin per tensor by the error on the calibration images.
	MSE
	// CrossValidated chooses spread and margin per tensor by the error on images
	// that the ranges were not taken from.
	CrossValidated
)

// Options steer Quantise. Start from Defaults or a Preset.
type Options struct {
	// Ranges is how the activations' ranges are chosen.
	Ranges Ranges
	// Alpha spreads the channels' scales where Ranges does not choose it:
	// s[c] = s_max * (s[c] / s_max)^Alpha. 0 is one scale per tensor, 1 a full
	// scale per channel. Smaller scales for quiet channels cost the consumer's
	// weights precision; 0.75 balances both.
	Alpha float64
	// Percentile, from above 0 to 100, is for the ranges of that name.
	Percentile float64
	// Refit refits the weights of every layer to the quantised path's inputs.
	Refit bool
	// Compensate makes the rounding of weights carry its error to the weights
	// that are not rounded yet.
	Compensate bool
	// KeepBias leaves out the bias correction.
	KeepBias bool
	// Fine looks at more pixels of each image.
	Fine bool
	// Seed decides which pixels of each image are looked at.
	Seed uint64
	// Workers is how many images are processed at once; 0: one per CPU. Results
	// do not depend on it.
	Workers int
	// Images is how many images there will be, for Progress and for how many
	// pixels are kept of each; 0 if unknown.
	Images int
	// Progress, if set, is called as the work goes on, never concurrently.
	Progress func(stage string, done, total int)
}

// Defaults returns the recommended options, those of the preset "default".
func Defaults() Options {
	return Options{Ranges: CrossValidated, Alpha: 0.75, Refit: true, Compensate: true}
}

// Presets are the names that Preset knows, from the fastest on.
var Presets = []string{"fast", "default", "best"}

// Preset returns options by name: "fast" takes the extremes for ranges and
// corrects biases, "default" does all that pays, "best" does it with
// more pixels of each image, in more time and memory.
func Preset(name string) (Options, error) {
	o := Defaults()
	switch name {
	case "fast":
		o = Options{Ranges: MinMax, Alpha: 0.75}
	case "default":
	case "best":
		o.Fine = true
	default:
		return o, fmt.Errorf("preset %q, want one of %s", name, strings.Join(Presets, ", "))
	}
	return o, nil
}

func (o Options) check() error {
	switch {
	case !(o.Alpha >= 0 && o.Alpha <= 1):
		return fmt.Errorf("quantise: alpha is %g, want 0 to 1", o.Alpha)
	case o.Ranges == Percentile && !(o.Percentile > 0 && o.Percentile <= 100):
		return fmt.Errorf("quantise: percentile is %g, want more than 0, at most 100", o.Percentile)
	case o.Ranges < MinMax || o.Ranges > CrossValidated:
		return fmt.Errorf("quantise: unknown way %d of choosing ranges", o.Ranges)
	}
	return nil
}

// refines reports whether weights are more than rounded.
func (o Options) refines() bool { return o.Refit || o.Compensate }

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

func (o Options) progress(stage string, done, total int) {
	if o.Progress != nil {
		o.Progress(stage, done, total)
	}
}
