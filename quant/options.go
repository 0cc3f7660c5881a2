package quant

import "runtime"

// Options steer Quantise. The zero value of a field means its default, except
// for Alpha; start from Defaults.
type Options struct {
	// Alpha spreads the channels' scales: s[c] = s_max * (s[c] / s_max)^Alpha.
	// 0 is one scale per tensor, 1 a full scale per channel. Smaller scales for
	// quiet channels cost the consumer's weights precision; 0.75 balances both.
	Alpha float64
	// Percentile, where it is below 100, clips each channel's range to the
	// middle Percentile percent of the values seen. 0 and 100 keep the extremes.
	Percentile float64
	// Workers is how many images are processed at once; 0: one per CPU. Results
	// do not depend on it.
	Workers int
	// Images is how many images there will be, for Progress; 0 if unknown.
	Images int
	// KeepBias leaves out the bias correction.
	KeepBias bool
	// Progress, if set, is called as the work goes on, never concurrently.
	Progress func(stage string, done, total int)
}

// Defaults returns the recommended options.
func Defaults() Options { return Options{Alpha: 0.75} }

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
