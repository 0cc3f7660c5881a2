package quant

import "github.com/seedge/seedge/nn"

// bins is the resolution of a channel's histogram.
const bins = 256

// stats is what calibration learns of one tensor, per channel.
type stats struct {
	min, max []float32
	sum      []float64
	count    int64 // positions over all images
	// hist counts values in bins of equal width from min to max; it is filled
	// in the second pass over the images, when the extremes are known.
	hist [][bins]uint32
}

func newStats(c int) *stats {
	return &stats{min: make([]float32, c), max: make([]float32, c), sum: make([]float64, c)}
}

// observe takes one image's tensor. Zero always counts as seen: padding and
// dead inputs produce it, so it must be representable.
func (s *stats) observe(t nn.Tensor) {
	c := t.C
	for i := 0; i < len(t.Data); i += c {
		for k, v := range t.Data[i : i+c] {
			s.min[k] = min(s.min[k], v)
			s.max[k] = max(s.max[k], v)
			s.sum[k] += float64(v)
		}
	}
	s.count += int64(t.H * t.W)
}

// merge adds what another shard saw.
func (s *stats) merge(o *stats) {
	for k := range s.min {
		s.min[k] = min(s.min[k], o.min[k])
		s.max[k] = max(s.max[k], o.max[k])
		s.sum[k] += o.sum[k]
	}
	s.count += o.count
}

// mean is the channel's mean over every position of every image.
func (s *stats) mean(k int) float64 { return s.sum[k] / float64(s.count) }
