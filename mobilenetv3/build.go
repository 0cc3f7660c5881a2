package mobilenetv3

import (
	"errors"
	"fmt"
	"math"

	"github.com/seedge/seedge/nn"
)

// The architectures, by torchvision's names.
const (
	Large = "mobilenet_v3_large"
	Small = "mobilenet_v3_small"
)

// eps is the batch norms' in torchvision's and Keras's networks.
const eps = 1e-3

// ErrConfig is wrapped by errors about a Config that describes no network.
var ErrConfig = errors.New("invalid MobileNetV3 configuration")

// Config chooses a network. Default gives the paper's.
type Config struct {
	Arch    string  `json:"arch"`     // Large or Small
	Width   float64 `json:"width"`    // multiplier on every channel count, rounded to multiples of 8
	Classes int     `json:"classes"`  // outputs of the classifier
	Height  int     `json:"height"`   // input rows, from 32 up
	InputW  int     `json:"input_w"`  // input columns, from 32 up
	Dilated bool    `json:"dilated"`  // torchvision's variant: the last three bnecks at stride 1, dilation 2
	SERatio float64 `json:"se_ratio"` // squeezed width over expansion; 0: no squeeze-and-excitation
}

// Default is the paper's network: width 1, 1000 classes, 224x224, SE ratio 0.25.
func Default(arch string) Config {
	return Config{Arch: arch, Width: 1, Classes: 1000, Height: 224, InputW: 224, SERatio: 0.25}
}

func (c Config) table() (variant, error) {
	switch {
	case c.Arch != Large && c.Arch != Small:
		return variant{}, fmt.Errorf("mobilenetv3: architecture %q, want %s or %s: %w", c.Arch, Large, Small, ErrConfig)
	case !(c.Width > 0 && c.Width <= 8):
		return variant{}, fmt.Errorf("mobilenetv3: width multiplier %g, want more than 0, at most 8: %w", c.Width, ErrConfig)
	case c.Classes < 1 || c.Classes > 1<<16:
		return variant{}, fmt.Errorf("mobilenetv3: %d classes, want 1 to %d: %w", c.Classes, 1<<16, ErrConfig)
	case c.Height < 32 || c.InputW < 32 || c.Height > 4096 || c.InputW > 4096:
		return variant{}, fmt.Errorf("mobilenetv3: input of %dx%d, want 32 to 4096 each: %w", c.Height, c.InputW, ErrConfig)
	case !(c.SERatio >= 0 && c.SERatio <= 1):
		return variant{}, fmt.Errorf("mobilenetv3: SE ratio %g, want 0 to 1: %w", c.SERatio, ErrConfig)
	}
	if c.Arch == Small {
		return small, nil
	}
	return large, nil
}

// channels applies the width multiplier.
func (c Config) channels(n int) int { return makeDivisible(float64(n) * c.Width) }

// makeDivisible rounds to a multiple of 8 without losing more than a tenth, as
// the authors' code does.
func makeDivisible(v float64) int {
	n := max(8, int(v+4)/8*8)
	if float64(n) < 0.9*v {
		n += 8
	}
	return n
}

// New builds the graph, without weights.
func New(c Config) (*nn.Graph, error) {
	table, err := c.table()
	if err != nil {
		return nil, err
	}
	b := builder{nn.NewGraph(nn.Shape{H: c.Height, W: c.InputW, C: 3}), 0, 3}
	b.conv("stem", c.channels(table.stem), 3, 2, 1, 1, nn.HardSwish)
	for i, line := range table.bnecks {
		dilation := 1
		if c.Dilated && i >= table.late {
			dilation = 2
		}
		b.bneck(fmt.Sprintf("bneck%d", i+1), c, line, dilation)
	}
	b.conv("head", 6*b.channels, 1, 1, 1, 1, nn.HardSwish)
	b.add("pool", &nn.GlobalAvgPool{})
	b.graph.Features = b.at
	b.linear("hidden", c.channels(table.hidden))
	b.add("hidden.act", &nn.Activation{Func: nn.HardSwish})
	b.linear("classifier", c.Classes)
	return b.graph, b.graph.Err()
}

// builder keeps the end of the chain: the node to go on from and its channels.
type builder struct {
	graph    *nn.Graph
	at       int
	channels int
}

func (b *builder) add(name string, op nn.Op, more ...int) {
	b.at = b.graph.Add(name, op, append([]int{b.at}, more...)...)
}

// conv adds a convolution padded by k/2, its batch norm and its activation.
func (b *builder) conv(name string, out, kernel, stride, dilation, groups int, f nn.Func) {
	b.add(name, &nn.Conv2D{Window: nn.Window{
		In: b.channels, Out: out, KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride,
		DilationH: dilation, DilationW: dilation, Groups: groups, Padding: nn.Pad(kernel / 2 * dilation),
	}})
	b.channels = out
	b.add(name+".bn", &nn.BatchNorm{C: out, Eps: eps})
	if f != nn.Identity {
		b.add(name+".act", &nn.Activation{Func: f})
	}
}

// bneck adds expand, depthwise, squeeze-and-excitation and project (the paper's
// figure 4). A strided bneck has no residual, also where dilation takes the
// stride's place.
func (b *builder) bneck(name string, c Config, line bneck, dilation int) {
	from, in := b.at, b.channels
	expansion, out := c.channels(line.expansion), c.channels(line.out)
	if expansion != in {
		b.conv(name+".expand", expansion, 1, 1, 1, 1, line.nl)
	}
	stride := line.stride
	if dilation > 1 {
		stride = 1
	}
	b.conv(name+".depthwise", expansion, line.kernel, stride, dilation, expansion, line.nl)
	if line.se && c.SERatio > 0 {
		squeezed := makeDivisible(math.Floor(float64(expansion) * c.SERatio))
		b.add(name+".se", &nn.SqueezeExcite{C: expansion, Squeezed: squeezed, Inner: nn.ReLU, Gate: nn.HardSigmoid})
	}
	b.conv(name+".project", out, 1, 1, 1, 1, nn.Identity)
	if line.stride == 1 && in == out {
		b.add(name+".add", &nn.Add{}, from)
	}
}

func (b *builder) linear(name string, out int) {
	b.add(name, &nn.Linear{In: b.graph.Nodes[b.at].Shape.C, Out: out})
}
