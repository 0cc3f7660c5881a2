package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/seedge/seedge/nn"
)

// Where a measurement is worth a word.
const (
	poorSQNR     = 15   // dB of a layer
	muchClipped  = 0.01 // share of a layer's values
	oddImage     = 5    // times as much clipped as in the median image
	wildVariance = 1e4  // times the median of the batch norm's channels
)

// advise says what is wrong and what to do about it. names are those of the images
// measured on; apart says that they were not calibrated on.
func advise(g *nn.Graph, m *Measurement, names []string, apart bool) []string {
	var say []string
	add := func(format string, args ...any) { say = append(say, fmt.Sprintf(format, args...)) }
	if !apart {
		add("No images were kept apart, so what is measured here is on images that the network was calibrated on, which flatters it. Give --holdout.")
	}
	for _, l := range m.Layers {
		if l.Clipped > muchClipped {
			add("%s: %.1f %% of the values are beyond its int8 range. The images to calibrate on do not show what the network sees; add some that do.", l.Name, 100*l.Clipped)
		}
	}
	if worst := slices.MinFunc(m.Layers, bySQNR); worst.SQNR < poorSQNR {
		add("%s is the weakest layer, with %.1f dB. More calibration images and the preset best help; if it still loses accuracy, keep the network in fp16.", worst.Name, worst.SQNR)
	}
	var dead, layers, most int
	var where string
	for _, l := range m.Layers {
		if l.Dead > 0 {
			dead += l.Dead
			layers++
			if l.Dead > most {
				most, where = l.Dead, l.Name
			}
		}
	}
	if dead > 0 {
		add("%d channels in %d layers have one value everywhere, most of them in %s (%d). Dead channels cost time and do nothing: training lost them, or these images never use them.", dead, layers, where, most)
	}
	for _, n := range g.Nodes[1:] {
		if bn, ok := n.Op.(*nn.BatchNorm); ok {
			v := slices.Sorted(slices.Values(bn.Var))
			if middle := float64(v[len(v)/2]) + bn.Eps; float64(v[len(v)-1]) > wildVariance*middle {
				add("%s: one channel's running variance is %.0f times the median. Training may have diverged there; a single channel then sets the range of what follows.", n.Name, float64(v[len(v)-1])/middle)
			}
		}
	}
	median := slices.Sorted(slices.Values(m.Clipped))[len(m.Clipped)/2]
	var odd []string
	for i, c := range m.Clipped {
		if i < len(names) && c > muchClipped/10 && c > oddImage*median {
			odd = append(odd, names[i])
		}
	}
	if len(odd) > 0 {
		add("%d of %d images do not look like those calibrated on, for example %s: far more of their activations are beyond the ranges than in the others.", len(odd), len(m.Clipped), odd[0])
	}
	return say
}

func bySQNR(a, b Layer) int {
	switch x, y := a.SQNR, b.SQNR; {
	case math.IsNaN(x) || x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
