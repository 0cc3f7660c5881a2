package mobilenetv3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/nn"
)

// LoadTorchvision fills the parameters of a graph that New built from a state
// dict with torchvision's names, as mobilenet_v3_large and _small of
// torchvision.models save it. Every tensor must be there with its shape, and
// none besides, save num_batches_tracked. The graph is left as it was when
// there is an error; that wraps checkpoint.ErrMismatch (the tensors are not this
// network's; it then says which network they look like), checkpoint.ErrFormat
// (a negative variance) or nn.ErrGraph (not a graph of New).
func LoadTorchvision(g *nn.Graph, sd *checkpoint.StateDict) error {
	slots, err := torchvisionSlots(g)
	if err != nil {
		return err
	}
	if err := sd.Match(wants(slots), batchesTracked); err != nil {
		return fmt.Errorf("torchvision weights: %s%w", hint(g, sd), err)
	}
	for _, s := range slots {
		if err := s.check(sd); err != nil {
			return fmt.Errorf("torchvision weights: %w", err)
		}
	}
	for _, s := range slots {
		t, _ := sd.Tensor(s.Name)
		*s.param.Data = s.arrange(t)
	}
	return nil
}

// batchesTracked selects the counters that PyTorch's batch norms carry for a
// momentum that nobody uses here.
func batchesTracked(name string) bool { return strings.HasSuffix(name, ".num_batches_tracked") }

// slot is a parameter of the graph and the tensor that fills it.
type slot struct {
	checkpoint.Want
	param nn.Param
}

func wants(slots []slot) []checkpoint.Want {
	out := make([]checkpoint.Want, len(slots))
	for i, s := range slots {
		out[i] = s.Want
	}
	return out
}

// check refuses values that no batch norm can have.
func (s slot) check(sd *checkpoint.StateDict) error {
	t, _ := sd.Tensor(s.Name)
	for c, v := range t.Data {
		if s.param.Variance && v < 0 {
			return fmt.Errorf("%s[%d] is %g, want a variance, 0 or more; the file is damaged or was edited: %w", s.Name, c, v, checkpoint.ErrFormat)
		}
	}
	return nil
}

// arrange copies a tensor into the graph's order: a convolution's weight from
// [out][in][y][x] to [out][y][x][in], all else as it is.
func (s slot) arrange(t checkpoint.Tensor) []float32 {
	if len(s.param.Shape) != 4 {
		return slices.Clone(t.Data)
	}
	out, in, area := t.Shape[0], t.Shape[1], t.Shape[2]*t.Shape[3]
	data := make([]float32, 0, len(t.Data))
	for o := range out {
		for p := range area {
			for i := range in {
				data = append(data, t.Data[(o*in+i)*area+p])
			}
		}
	}
	return data
}

// torchvisionSlots names every parameter of a graph as torchvision does. Stem,
// bnecks and head are features.0, features.1 and so on; within a bneck expand,
// depthwise, squeeze-and-excitation and project are block.0, block.1 and so on,
// counting those that are there.
func torchvisionSlots(g *nn.Graph) ([]slot, error) {
	var (
		slots           []slot
		block, part     string
		feature, member = -1, 0
		linears         = []string{"classifier.0.", "classifier.3."}
	)
	for _, n := range g.Nodes[1:] {
		if len(n.Op.Params()) == 0 {
			continue
		}
		b, p, _ := strings.Cut(n.Name, ".")
		p = strings.TrimSuffix(strings.TrimSuffix(p, "bn"), ".")
		switch {
		case b != block:
			block, part, member = b, p, 0
			feature++
		case p != part:
			part = p
			member++
		}
		prefix := fmt.Sprintf("features.%d.", feature)
		if part != "" {
			prefix += fmt.Sprintf("block.%d.", member)
		}
		switch n.Op.(type) {
		case *nn.Conv2D:
			prefix += "0."
		case *nn.BatchNorm:
			prefix += "1."
		case *nn.SqueezeExcite:
		case *nn.Linear:
			if len(linears) == 0 {
				return nil, fmt.Errorf("mobilenetv3: node %q: torchvision's network has two linear layers: %w", n.Name, nn.ErrGraph)
			}
			prefix, linears = linears[0], linears[1:]
		default:
			return nil, fmt.Errorf("mobilenetv3: node %q (%s) has no place in torchvision's network: %w", n.Name, n.Op.Kind(), nn.ErrGraph)
		}
		for _, p := range n.Op.Params() {
			slots = append(slots, newSlot(prefix, p))
		}
	}
	return slots, nil
}

// newSlot gives a parameter its PyTorch name and shape. The two layers of
// squeeze-and-excitation are 1x1 convolutions there.
func newSlot(prefix string, p nn.Param) slot {
	name, shape := p.Name, p.Shape
	if of, rest, ok := strings.Cut(p.Name, "."); ok {
		name = map[string]string{"reduce": "fc1.", "expand": "fc2."}[of] + rest
		if rest == "weight" {
			shape = []int{shape[0], shape[1], 1, 1}
		}
	}
	if len(p.Shape) == 4 {
		shape = []int{shape[0], shape[3], shape[1], shape[2]}
	}
	return slot{checkpoint.Want{Name: prefix + name, Shape: shape}, p}
}
