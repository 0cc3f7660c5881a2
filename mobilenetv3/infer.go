package mobilenetv3

import (
	"fmt"
	"math"
	"strings"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/nn"
)

// classifierWeight is the last layer's weight, [classes][hidden].
const classifierWeight = "classifier.3.weight"

// Classes returns the number of outputs of the classifier in a torchvision
// state dict. The error wraps checkpoint.ErrMismatch.
func Classes(sd *checkpoint.StateDict) (int, error) {
	t, ok := sd.Tensor(classifierWeight)
	if !ok {
		return 0, fmt.Errorf("mobilenetv3: the checkpoint has no %s to count classes by%s: %w", classifierWeight, resemblance(sd), checkpoint.ErrMismatch)
	}
	if len(t.Shape) != 2 || t.Shape[0] < 1 {
		return 0, fmt.Errorf("mobilenetv3: %s has shape %v, want [classes hidden]: %w", classifierWeight, t.Shape, checkpoint.ErrMismatch)
	}
	return t.Shape[0], nil
}

// InferConfig returns the configuration whose network has exactly the tensors
// of a torchvision state dict: architecture, width multiplier, classes and SE
// ratio. Several multipliers can round to the same channels; the roundest of
// them is returned, and the network is the same for all. Input size and
// dilation leave no trace in weights: the result has Default's. The error wraps
// checkpoint.ErrMismatch.
func InferConfig(sd *checkpoint.StateDict) (Config, error) {
	arch, ok := archOf(sd)
	if !ok {
		return Config{}, fmt.Errorf("mobilenetv3: the checkpoint is not torchvision's MobileNetV3%s: %w", resemblance(sd), checkpoint.ErrMismatch)
	}
	c := Default(arch)
	var err error
	if c.Classes, err = Classes(sd); err != nil {
		return Config{}, err
	}
	table, err := c.table()
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w", err, checkpoint.ErrMismatch)
	}
	t, _ := sd.Tensor(classifierWeight)
	var mismatch error
	for _, width := range widths(t.Shape[1], table.hidden) {
		for _, ratio := range ratios(sd) {
			c.Width, c.SERatio = width, ratio
			err := matches(c, sd)
			if err == nil {
				return c, nil
			}
			if mismatch == nil {
				mismatch = err
			}
		}
	}
	if mismatch == nil {
		return Config{}, fmt.Errorf("mobilenetv3: %s has shape %v, which no width multiplier of %s gives: %w", classifierWeight, t.Shape, arch, checkpoint.ErrMismatch)
	}
	return Config{}, fmt.Errorf("mobilenetv3: the checkpoint has the names of %s, but no width multiplier and SE ratio give its tensors: the nearest: %w", arch, mismatch)
}

func matches(c Config, sd *checkpoint.StateDict) error {
	g, err := New(c)
	if err != nil {
		return err
	}
	slots, err := torchvisionSlots(g)
	if err != nil {
		return err
	}
	return sd.Match(wants(slots), batchesTracked)
}

// widths lists multipliers that turn the table's hidden width into the given
// one, the roundest first.
func widths(hidden, table int) []float64 {
	var out []float64
	seen := map[float64]bool{}
	for _, parts := range []float64{4, 20, 100, 1000} {
		for n := math.Floor(float64(hidden-8) / float64(table) * parts); n <= math.Ceil(float64(hidden+8)/float64(table)*parts); n++ {
			w := n / parts
			if w > 0 && w <= 8 && !seen[w] && makeDivisible(float64(table)*w) == hidden {
				out = append(out, w)
				seen[w] = true
			}
		}
	}
	return out
}

// ratios lists the squeezed widths over expansions to try: the paper's first,
// the others that papers use, and none where the checkpoint has no
// squeeze-and-excitation.
func ratios(sd *checkpoint.StateDict) []float64 {
	for _, n := range sd.Names() {
		if strings.HasSuffix(n, ".fc1.weight") {
			return []float64{1. / 4, 1. / 2, 1. / 8, 1. / 16, 1. / 32, 1}
		}
	}
	return []float64{0}
}

// archOf tells Large from Small by the place of the head, which is the one
// convolution behind the bnecks.
func archOf(sd *checkpoint.StateDict) (string, bool) {
	if _, ok := sd.Tensor("features.1.block.0.0.weight"); !ok {
		return "", false // MobileNetV2 says features.1.conv
	}
	if _, ok := sd.Tensor(headWeight(large)); ok {
		return Large, true
	}
	_, ok := sd.Tensor(headWeight(small))
	return Small, ok
}

func headWeight(v variant) string {
	return fmt.Sprintf("features.%d.0.weight", len(v.bnecks)+1)
}

// families are networks that are mistaken for this one, by a name that gives
// them away.
var families = []struct{ name, what string }{
	{"features.1.conv.0.0.weight", "torchvision's MobileNetV2"},
	{"features.1.0.block.0.0.weight", "torchvision's EfficientNet"},
	{"layer1.0.conv1.weight", "a ResNet"},
	{"blocks.0.0.conv_dw.weight", "a network of timm, whose names are others than torchvision's"},
	{"backbone.0.0.weight", "a whole segmentation or detection network, of which MobileNetV3 is the backbone"},
	{"backbone.body.0.0.weight", "a whole detection network, of which MobileNetV3 is the backbone"},
}

// resemblance says what a checkpoint looks like, as the end of a sentence.
func resemblance(sd *checkpoint.StateDict) string {
	if arch, ok := archOf(sd); ok {
		return "; it looks like " + arch
	}
	for _, f := range families {
		if _, ok := sd.Tensor(f.name); ok {
			return "; it looks like " + f.what
		}
	}
	return ""
}

// hint compares what a checkpoint holds with what a graph wants, where both can
// be told, as the beginning of a message: it explains the list that follows.
func hint(g *nn.Graph, sd *checkpoint.StateDict) string {
	c, err := InferConfig(sd)
	if err != nil {
		if looks := resemblance(sd); looks != "" {
			return strings.TrimPrefix(looks, "; ") + ": "
		}
		return ""
	}
	wanted := Small
	if _, ok := g.Lookup(fmt.Sprintf("bneck%d.project", len(large.bnecks))); ok {
		wanted = Large
	}
	return fmt.Sprintf("it looks like %s of width %g and SE ratio %g with %d classes; the network to fill is %s with %d classes: ",
		c.Arch, c.Width, c.SERatio, c.Classes, wanted, g.Output().Shape.C)
}
