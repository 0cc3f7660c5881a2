package mobilenetv3

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/nn"
)

// facts is what train/goldens_float.py asked torchvision.
type facts struct {
	Costs []struct {
		Arch    string  `json:"arch"`
		Width   float64 `json:"width"`
		Dilated bool    `json:"dilated"`
		Params  int64   `json:"params"`
		MACs    int64   `json:"macs"`
	} `json:"costs"`
	Tensors map[string]map[string][]int `json:"tensors"` // network, name, shape
}

func readFacts(t *testing.T) facts {
	raw, err := os.ReadFile("testdata/torchvision.json")
	require.NoError(t, err)
	var f facts
	require.NoError(t, json.Unmarshal(raw, &f))
	require.NotEmpty(t, f.Costs)
	require.NotEmpty(t, f.Tensors)
	return f
}

func build(t testing.TB, arch string, change func(*Config)) *nn.Graph {
	c := Default(arch)
	if change != nil {
		change(&c)
	}
	g, err := New(c)
	require.NoError(t, err)
	return g
}

// TestCostsAreTorchvisions over widths from 0.35 to 1.5, and dilated.
func TestCostsAreTorchvisions(t *testing.T) {
	for _, f := range readFacts(t).Costs {
		g := build(t, f.Arch, func(c *Config) { c.Width, c.Dilated = f.Width, f.Dilated })
		assert.Equal(t, nn.Cost{Params: f.Params, MACs: f.MACs}, g.Total(nil), "%+v", f)
	}
}

// variants builds the networks that torchvision.json lists the tensors of.
func variants(t testing.TB, label string) *nn.Graph {
	arch, kind, _ := strings.Cut(label, "/")
	return build(t, arch, func(c *Config) {
		switch kind {
		case "":
			c.Classes = 10
		case "half":
			c.Classes, c.Width = 10, 0.5
		case "no_se":
			c.SERatio = 0
		case "dilated":
			c.Dilated = true
		default:
			require.Fail(t, "unknown variant", label)
		}
	})
}

func TestNamesAndShapesAreTorchvisions(t *testing.T) {
	for label, tensors := range readFacts(t).Tensors {
		slots, err := torchvisionSlots(variants(t, label))
		require.NoError(t, err, label)
		ours := map[string][]int{}
		for _, s := range slots {
			ours[s.Name] = s.Shape
		}
		assert.Len(t, ours, len(slots), "%s: no name twice", label)
		maps.DeleteFunc(tensors, func(name string, _ []int) bool { return batchesTracked(name) })
		assert.Equal(t, tensors, ours, label)
	}
}

// clone copies a state dict but for what edit changes: nil drops a tensor.
func clone(t testing.TB, sd *checkpoint.StateDict, edit func(name string, v checkpoint.Tensor) *checkpoint.Tensor) *checkpoint.StateDict {
	out := checkpoint.NewStateDict()
	for _, n := range sd.Names() {
		v, _ := sd.Tensor(n)
		if c := edit(n, v); c != nil {
			require.NoError(t, out.Add(n, *c))
		}
	}
	return out
}

func TestLoadTransposesConvolutions(t *testing.T) {
	g := build(t, Small, nil)
	sd := stateDict(t, g, nil)
	require.NoError(t, LoadTorchvision(g, sd))
	for _, c := range []struct{ node, tensor string }{
		{"stem", "features.0.0.weight"}, {"bneck1.depthwise", "features.1.block.0.0.weight"},
		{"bneck4.depthwise", "features.4.block.1.0.weight"}, {"head", "features.12.0.weight"},
	} {
		id, ok := g.Lookup(c.node)
		require.True(t, ok)
		conv := g.Nodes[id].Op.(*nn.Conv2D)
		from, ok := sd.Tensor(c.tensor)
		require.True(t, ok)
		in := conv.In / conv.Groups
		require.Equal(t, []int{conv.Out, in, conv.KernelH, conv.KernelW}, from.Shape)
		for o := range conv.Out {
			for i := range in {
				for y := range conv.KernelH {
					for x := range conv.KernelW {
						want := from.Data[((o*in+i)*conv.KernelH+y)*conv.KernelW+x]
						require.Equal(t, want, conv.Weight[((o*conv.KernelH+y)*conv.KernelW+x)*in+i])
					}
				}
			}
		}
	}
}

func TestLoadCopies(t *testing.T) {
	g := build(t, Small, nil)
	sd := stateDict(t, g, nil)
	require.NoError(t, LoadTorchvision(g, sd))
	before, _ := sd.Tensor("classifier.3.bias")
	was := before.Data[0]
	g.Output().Op.(*nn.Linear).Bias[0] = was + 1
	assert.Equal(t, was, before.Data[0], "the checkpoint must not share memory with the graph")
}

// TestLoadIsStrict: every kind of wrong checkpoint is named, and leaves the
// graph without weights.
func TestLoadIsStrict(t *testing.T) {
	large := func(t *testing.T) *checkpoint.StateDict { return stateDict(t, build(t, Large, nil), nil) }
	change := func(name string, to func(checkpoint.Tensor) *checkpoint.Tensor) func(*testing.T) *checkpoint.StateDict {
		return func(t *testing.T) *checkpoint.StateDict {
			found := false
			sd := clone(t, large(t), func(n string, v checkpoint.Tensor) *checkpoint.Tensor {
				if n == name {
					found = true
					return to(v)
				}
				return &v
			})
			require.True(t, found)
			return sd
		}
	}
	one := func(t *testing.T, name string, shape ...int) *checkpoint.StateDict {
		n := 1
		for _, d := range shape {
			n *= d
		}
		sd := checkpoint.NewStateDict()
		require.NoError(t, sd.Add(name, checkpoint.Tensor{Shape: shape, Data: make([]float32, n)}))
		return sd
	}
	for name, c := range map[string]struct {
		sd   func(*testing.T) *checkpoint.StateDict
		is   error
		says []string
	}{
		"missing": {
			change("features.7.block.2.0.weight", func(checkpoint.Tensor) *checkpoint.Tensor { return nil }), checkpoint.ErrMismatch,
			[]string{"features.7.block.2.0.weight is missing, want shape [80 240 1 1]", "it looks like mobilenet_v3_large"},
		},
		"another shape": {
			change("features.4.block.2.fc1.weight", func(v checkpoint.Tensor) *checkpoint.Tensor { v.Shape = []int{24, 72}; return &v }), checkpoint.ErrMismatch,
			[]string{"features.4.block.2.fc1.weight has shape [24 72], want [24 72 1 1]"},
		},
		"extra": {
			func(t *testing.T) *checkpoint.StateDict {
				sd := large(t)
				require.NoError(t, sd.Add("features.16.2.weight", checkpoint.Tensor{Shape: []int{1}, Data: []float32{1}}))
				return sd
			}, checkpoint.ErrMismatch,
			[]string{"features.16.2.weight, of shape [1], is not part of the network"},
		},
		"negative variance": {
			change("features.3.block.1.1.running_var", func(v checkpoint.Tensor) *checkpoint.Tensor {
				v.Data = slices.Clone(v.Data)
				v.Data[17] = -0.3
				return &v
			}), checkpoint.ErrFormat,
			[]string{"features.3.block.1.1.running_var[17] is -0.3"},
		},
		"small": {
			func(t *testing.T) *checkpoint.StateDict { return stateDict(t, build(t, Small, nil), nil) }, checkpoint.ErrMismatch,
			[]string{"it looks like mobilenet_v3_small of width 1 and SE ratio 0.25 with 1000 classes", "to fill is mobilenet_v3_large"},
		},
		"other classes": {
			func(t *testing.T) *checkpoint.StateDict {
				return stateDict(t, build(t, Large, func(c *Config) { c.Classes = 10 }), nil)
			}, checkpoint.ErrMismatch,
			[]string{"classifier.3.bias has shape [10], want [1000]", "with 10 classes"},
		},
		"other width": {
			func(t *testing.T) *checkpoint.StateDict {
				return stateDict(t, build(t, Large, func(c *Config) { c.Width = 0.75 }), nil)
			}, checkpoint.ErrMismatch,
			[]string{"it looks like mobilenet_v3_large of width 0.75"},
		},
		"mobilenet v2": {
			func(t *testing.T) *checkpoint.StateDict { return one(t, "features.1.conv.0.0.weight", 32, 1, 3, 3) }, checkpoint.ErrMismatch,
			[]string{"it looks like torchvision's MobileNetV2"},
		},
		"nothing known": {
			func(t *testing.T) *checkpoint.StateDict { return one(t, "w", 2) }, checkpoint.ErrMismatch,
			[]string{"266 missing", "1 unknown"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, Large, nil)
			err := LoadTorchvision(g, c.sd(t))
			require.ErrorIs(t, err, c.is)
			for _, s := range c.says {
				assert.ErrorContains(t, err, s)
			}
			for _, n := range g.Nodes[1:] {
				for _, p := range n.Op.Params() {
					require.Nil(t, *p.Data, "%s.%s", n.Name, p.Name)
				}
			}
		})
	}
}

func TestLoadRefusesAnotherGraph(t *testing.T) {
	g := nn.NewGraph(nn.Shape{H: 1, W: 1, C: 4})
	for i := range 3 {
		g.Add(fmt.Sprintf("fc%d", i), &nn.Linear{In: 4, Out: 4}, i)
	}
	require.NoError(t, g.Err())
	assert.ErrorIs(t, LoadTorchvision(g, checkpoint.NewStateDict()), nn.ErrGraph)
}

// TestInferConfig: what New builds from the answer takes the weights, and the
// answer is the configuration itself.
func TestInferConfig(t *testing.T) {
	for _, arch := range []string{Large, Small} {
		for _, width := range []float64{0.35, 0.75, 1, 1.25} {
			for _, ratio := range []float64{0.25, 0, 0.0625} {
				want := Default(arch)
				want.Width, want.SERatio, want.Classes = width, ratio, 7
				g, err := New(want)
				require.NoError(t, err)
				sd := stateDict(t, g, nil)
				got, err := InferConfig(sd)
				require.NoError(t, err, "%+v", want)
				again, err := New(got)
				require.NoError(t, err)
				assert.NoError(t, LoadTorchvision(again, sd))
				// At small widths neighbouring ratios round to the same layers.
				assert.Equal(t, width, got.Width, "%+v", want)
				assert.Equal(t, ratio > 0, got.SERatio > 0)
				assert.Equal(t, 7, got.Classes)
			}
		}
	}
}

// TestInferOddWidth: a multiplier that is not round comes back as one that
// gives the same network.
func TestInferOddWidth(t *testing.T) {
	for _, width := range []float64{0.1, 0.313, 0.6666, 1.0001, math.Sqrt2} {
		g := build(t, Small, func(c *Config) { c.Width = width })
		sd := stateDict(t, g, nil)
		c, err := InferConfig(sd)
		require.NoError(t, err, "%g", width)
		again, err := New(c)
		require.NoError(t, err)
		assert.Equal(t, g.Total(nil), again.Total(nil))
		assert.InDelta(t, width, c.Width, 0.05)
	}
}

func TestInferConfigErrors(t *testing.T) {
	full := stateDict(t, build(t, Small, nil), nil)
	without := func(name string) *checkpoint.StateDict {
		return clone(t, full, func(n string, v checkpoint.Tensor) *checkpoint.Tensor {
			if n == name {
				return nil
			}
			return &v
		})
	}
	reshaped := func(name string, shape ...int) *checkpoint.StateDict {
		return clone(t, full, func(n string, v checkpoint.Tensor) *checkpoint.Tensor {
			if n == name {
				v = checkpoint.Tensor{Shape: shape}
				size := 1
				for _, d := range shape {
					size *= d
				}
				v.Data = make([]float32, size)
			}
			return &v
		})
	}
	for name, c := range map[string]struct {
		sd   *checkpoint.StateDict
		says string
	}{
		"empty":           {checkpoint.NewStateDict(), "not torchvision's MobileNetV3"},
		"no head":         {without("features.12.0.weight"), "not torchvision's MobileNetV3"},
		"no classifier":   {without("classifier.3.weight"), "no classifier.3.weight to count classes by; it looks like mobilenet_v3_small"},
		"missing tensor":  {without("features.5.block.1.0.weight"), "features.5.block.1.0.weight is missing"},
		"flat classifier": {reshaped("classifier.3.weight", 1000), "want [classes hidden]"},
		"no classes":      {reshaped("classifier.3.weight", 0, 1024), "want [classes hidden]"},
		"classes":         {reshaped("classifier.3.weight", 1<<17, 1), "131072 classes"},
		"hidden width":    {reshaped("classifier.3.weight", 10, 1001), "no width multiplier"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := InferConfig(c.sd)
			require.ErrorIs(t, err, checkpoint.ErrMismatch)
			assert.ErrorContains(t, err, c.says)
		})
	}
	n, err := Classes(full)
	require.NoError(t, err)
	assert.Equal(t, 1000, n)
}
