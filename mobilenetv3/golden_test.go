package mobilenetv3

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/internal/golden"
	"github.com/seedge/seedge/nn"
)

// seed, weight and image repeat train/goldens_float.py.
const seed = 20190506

// stateDict makes the weights that the goldens belong to, with torchvision's
// names and shapes. The running statistics are taken from stats, or made up.
func stateDict(t testing.TB, g *nn.Graph, stats *checkpoint.StateDict) *checkpoint.StateDict {
	slots, err := torchvisionSlots(g)
	require.NoError(t, err)
	sd := checkpoint.NewStateDict()
	for _, s := range slots {
		if stats != nil && s.param.Buffer {
			v, ok := stats.Tensor(s.Name)
			require.True(t, ok, s.Name)
			require.NoError(t, sd.Add(s.Name, v))
			continue
		}
		require.NoError(t, sd.Add(s.Name, checkpoint.Tensor{Shape: s.Shape, Data: weight(s.Name, s.Shape)}))
	}
	return sd
}

func weight(name string, shape []int) []float32 {
	n, fan := 1, 1
	for i, d := range shape {
		n *= d
		if i > 0 {
			fan *= d
		}
	}
	v := golden.Values(seed, name, n)
	for i := range v {
		switch {
		case len(shape) > 1:
			v[i] *= float32(math.Sqrt(6 / float64(fan)))
		case strings.HasSuffix(name, ".weight"), strings.HasSuffix(name, ".running_var"):
			v[i] = float32(0.25*v[i]) + 1
		default:
			v[i] *= 0.25
		}
	}
	return v
}

func image(name string, height, width int) []float32 {
	coarse := golden.Values(seed, name+".coarse", 8*8*3)
	img := golden.Values(seed, name+".fine", height*width*3)
	for y := range height {
		for x := range width {
			for c := range 3 {
				at := (y*width+x)*3 + c
				img[at] = float32(1.5*coarse[(y*8/height*8+x*8/width)*3+c]) + float32(0.5*img[at])
			}
		}
	}
	return img
}

// blocks pairs the parts of torchvision's network with the nodes that end them.
func blocks(t *testing.T, g *nn.Graph) map[string]int {
	lookup := func(names ...string) int {
		for _, n := range names {
			if id, ok := g.Lookup(n); ok {
				return id
			}
		}
		require.Failf(t, "no such node", "%v", names)
		return 0
	}
	out := map[string]int{
		"features.0": lookup("stem.act"), "avgpool": lookup("pool"),
		"classifier.1": lookup("hidden.act"), "classifier.3": lookup("classifier"),
	}
	for i := 1; ; i++ {
		if _, ok := g.Lookup(fmt.Sprintf("bneck%d.project", i)); !ok {
			out[fmt.Sprintf("features.%d", i)] = lookup("head.act")
			return out
		}
		out[fmt.Sprintf("features.%d", i)] = lookup(fmt.Sprintf("bneck%d.add", i), fmt.Sprintf("bneck%d.project.bn", i))
	}
}

// TestBlocksAgainstTorchvision holds the output of every block to PyTorch's:
// the sampled elements directly, all others through mean, norm and maximum.
func TestBlocksAgainstTorchvision(t *testing.T) {
	const limit = 1e-4
	for _, c := range []struct {
		file, label string
		config      Config
	}{
		{"mobilenet_v3_large", "64", Config{Arch: Large, Width: 1, Height: 64, InputW: 64}},
		{"mobilenet_v3_large", "224", Config{Arch: Large, Width: 1, Height: 224, InputW: 224}},
		{"mobilenet_v3_large", "75x50", Config{Arch: Large, Width: 1, Height: 75, InputW: 50}},
		{"mobilenet_v3_large", "dilated", Config{Arch: Large, Width: 1, Height: 64, InputW: 64, Dilated: true}},
		{"mobilenet_v3_large_half", "64", Config{Arch: Large, Width: 0.5, Height: 64, InputW: 64}},
		{"mobilenet_v3_small", "64", Config{Arch: Small, Width: 1, Height: 64, InputW: 64}},
		{"mobilenet_v3_small", "224", Config{Arch: Small, Width: 1, Height: 224, InputW: 224}},
		{"mobilenet_v3_small", "75x50", Config{Arch: Small, Width: 1, Height: 75, InputW: 50}},
	} {
		t.Run(c.file+"/"+c.label, func(t *testing.T) {
			goldens, err := checkpoint.Load(filepath.Join("testdata", c.file+".safetensors"))
			require.NoError(t, err)
			c.config.Classes, c.config.SERatio = 1000, 0.25
			g, err := New(c.config)
			require.NoError(t, err)
			require.NoError(t, LoadTorchvision(g, stateDict(t, g, goldens)))
			run, err := nn.NewFloat(g)
			require.NoError(t, err)
			_, err = run.Run(image("image", c.config.Height, c.config.InputW))
			require.NoError(t, err)

			worst := golden.Distance{}
			parts := blocks(t, g)
			for part, id := range parts {
				sample, ok := goldens.Tensor(c.label + "." + part + ".sample")
				require.True(t, ok, part)
				stats, ok := goldens.Tensor(c.label + "." + part + ".stats")
				require.True(t, ok, part)
				out := run.Output(id)
				d := golden.Compare(sampled(out, part, len(sample.Data)), sample.Data)
				assert.Truef(t, d.Within(limit), "%s: %+v", part, d)
				mean, norm, top := summary(out.Data)
				rms := float64(stats.Data[1]) / math.Sqrt(float64(len(out.Data)))
				assert.InDelta(t, stats.Data[0], mean, limit*rms, "%s: mean", part)
				assert.InEpsilon(t, stats.Data[1], norm, limit, "%s: norm", part)
				assert.InEpsilon(t, stats.Data[2], top, limit, "%s: maximum", part)
				worst.L2, worst.Max = max(worst.L2, d.L2), max(worst.Max, d.Max)
			}
			assert.Len(t, parts, countPrefix(goldens, c.label+".")/2, "parts compared against parts in the golden file")
			t.Logf("worst of %d blocks: %.1e of the norm, %.1e of the largest", len(parts), worst.L2, worst.Max)
		})
	}
}

// sampled picks the elements that the golden file holds; all of them when it
// holds as many as there are (the logits).
func sampled(out nn.Tensor, part string, n int) []float32 {
	if n == len(out.Data) {
		return out.Data
	}
	picked := make([]float32, n)
	for i, at := range golden.Indices(seed, part+".sample", n, len(out.Data)) {
		c, pixel := at/(out.H*out.W), at%(out.H*out.W) // PyTorch counts [C][H][W]
		picked[i] = out.Data[pixel*out.C+c]
	}
	return picked
}

func summary(data []float32) (mean, norm, top float64) {
	for _, v := range data {
		mean += float64(v)
		norm += float64(v) * float64(v)
		top = max(top, math.Abs(float64(v)))
	}
	return mean / float64(len(data)), math.Sqrt(norm), top
}

func countPrefix(sd *checkpoint.StateDict, prefix string) int {
	n := 0
	for _, name := range sd.Names() {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}
