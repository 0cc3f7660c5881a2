package quant

import "github.com/seedge/seedge/nn"

// bins is the resolution of a channel's histogram.
const bins = 256

// stats is what calibration learns of one tensor, per channel.
type stats struct {
	min, max []float32
	// The rest is of the images that also go through the quantised path.
	sum    []float64
	energy []float64 // sum of squares
	count  int64     // positions over all images
	// hist counts values in bins of equal width from min to max. A second pass
	// over the images fills it, when the extremes are known, and only where
	// percentiles are asked for.
	hist [][bins]uint32
}

func newStats(c int) *stats {
	return &stats{min: make([]float32, c), max: make([]float32, c), sum: make([]float64, c), energy: make([]float64, c)}
}

// observe takes one image's tensor; held says that the image also goes through the
// quantised path. Zero always counts as seen: padding and
// dead inputs produce it, so it must be representable.
func (s *stats) observe(t nn.Tensor, held bool) {
	c := t.C
	for i := 0; i < len(t.Data); i += c {
		for k, v := range t.Data[i : i+c] {
			s.min[k] = min(s.min[k], v)
			s.max[k] = max(s.max[k], v)
		}
		if !held {
			continue
		}
		for k, v := range t.Data[i : i+c] {
			s.sum[k] += float64(v)
			s.energy[k] += float64(v) * float64(v)
		}
	}
	if held {
		s.count += int64(t.H * t.W)
	}
}

// merge adds what another shard saw.
func (s *stats) merge(o *stats) {
	for k := range s.min {
		s.min[k] = min(s.min[k], o.min[k])
		s.max[k] = max(s.max[k], o.max[k])
		s.sum[k] += o.sum[k]
		s.energy[k] += o.energy[k]
	}
	s.count += o.count
}

// mean is the channel's mean over every position of every image.
func (s *stats) mean(k int) float64 { return s.sum[k] / float64(s.count) }

// square is the channel's mean square.
func (s *stats) square(k int) float64 { return s.energy[k] / float64(s.count) }

// variance is the channel's variance.
func (s *stats) variance(k int) float64 {
	m := s.mean(k)
	return max(s.square(k)-m*m, 0)
}

// fill counts one image's tensor into the histograms.
func (s *stats) fill(t nn.Tensor) {
	if s.hist == nil {
		s.hist = make([][bins]uint32, t.C)
	}
	for i, v := range t.Data {
		k := i % t.C
		if span := s.max[k] - s.min[k]; span > 0 {
			s.hist[k][min(int((v-s.min[k])/span*bins), bins-1)]++
		}
	}
}

// clip narrows each channel's range to what the middle percent of its values
// need, a bin at a time, and never beyond 0.
func (s *stats) clip(percent float64) {
	for k, h := range s.hist {
		var total uint64
		for _, n := range h {
			total += uint64(n)
		}
		tail := float64(total) * (1 - percent/100) / 2
		width := (s.max[k] - s.min[k]) / bins
		lo, hi := 0, bins
		for below := float64(h[0]); lo < bins-1 && below <= tail; below += float64(h[lo]) {
			lo++
		}
		for above := float64(h[bins-1]); hi > lo+1 && above <= tail; above += float64(h[hi-1]) {
			hi--
		}
		least := s.min[k]
		s.min[k] = min(least+float32(lo)*width, 0)
		s.max[k] = max(least+float32(hi)*width, 0)
	}
}
