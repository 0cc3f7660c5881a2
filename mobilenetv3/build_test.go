package mobilenetv3

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

// TestCounts holds the default networks to the known figures.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		arch  string
		total nn.Cost
		se    nn.Cost
		width []int // squeezed
	}{
		{Large, nn.Cost{Params: 5_483_032, MACs: 216_589_760}, nn.Cost{Params: 1_512_280, MACs: 1_507_200}, []int{24, 32, 32, 120, 168, 168, 240, 240}},
		{Small, nn.Cost{Params: 2_542_856, MACs: 56_510_400}, nn.Cost{Params: 461_640, MACs: 458_752}, []int{8, 24, 64, 64, 32, 40, 72, 144, 144}},
	} {
		g := build(t, c.arch, nil)
		total, se := g.Total(nil), g.Total(nn.IsSqueezeExcite)
		assert.Equal(t, c.total, total, c.arch)
		assert.Equal(t, c.se, se, c.arch)
		t.Logf("%s: squeeze-and-excitation has %.1f %% of the parameters, %.2f %% of the MACs",
			c.arch, 100*float64(se.Params)/float64(total.Params), 100*float64(se.MACs)/float64(total.MACs))
		var widths []int
		for _, n := range g.Nodes {
			if s, ok := n.Op.(*nn.SqueezeExcite); ok {
				widths = append(widths, s.Squeezed)
			}
		}
		assert.Equal(t, c.width, widths, c.arch)
	}
}

// TestWhereSqueezeExciteStands: after the depthwise convolution's activation,
// before the projection, with the paper's activations.
func TestWhereSqueezeExciteStands(t *testing.T) {
	blocks := map[string][]int{Large: {4, 5, 6, 11, 12, 13, 14, 15}, Small: {1, 4, 5, 6, 7, 8, 9, 10, 11}}
	for arch, want := range blocks {
		g := build(t, arch, nil)
		var got []int
		for id, n := range g.Nodes {
			s, ok := n.Op.(*nn.SqueezeExcite)
			if !ok {
				continue
			}
			var block int
			_, err := fmt.Sscanf(n.Name, "bneck%d.se", &block)
			require.NoError(t, err, n.Name)
			got = append(got, block)
			assert.Equal(t, fmt.Sprintf("bneck%d.depthwise.act", block), g.Nodes[n.Inputs[0]].Name)
			assert.Equal(t, []int{id}, g.Nodes[id+1].Inputs)
			assert.Equal(t, fmt.Sprintf("bneck%d.project", block), g.Nodes[id+1].Name)
			assert.Equal(t, nn.ReLU, s.Inner)
			assert.Equal(t, nn.HardSigmoid, s.Gate)
		}
		assert.Equal(t, want, got, arch)
	}
}

func TestNoSqueezeExcite(t *testing.T) {
	for _, arch := range []string{Large, Small} {
		g := build(t, arch, func(c *Config) { c.SERatio = 0 })
		assert.Zero(t, g.Total(nn.IsSqueezeExcite))
		with := build(t, arch, nil)
		total, se := with.Total(nil), with.Total(nn.IsSqueezeExcite)
		assert.Equal(t, nn.Cost{Params: total.Params - se.Params, MACs: total.MACs - se.MACs}, g.Total(nil))
	}
}

func TestClassesAndFeatures(t *testing.T) {
	for arch, width := range map[string]int{Large: 960, Small: 576} {
		g := build(t, arch, func(c *Config) { c.Classes = 3 })
		assert.Equal(t, nn.Shape{H: 1, W: 1, C: 3}, g.Output().Shape)
		assert.Equal(t, "pool", g.Nodes[g.Features].Name)
		assert.Equal(t, nn.Shape{H: 1, W: 1, C: width}, g.Nodes[g.Features].Shape)
	}
}

func TestShapesOfBlocks(t *testing.T) {
	at := func(g *nn.Graph, name string) nn.Shape {
		id, ok := g.Lookup(name)
		require.True(t, ok, name)
		return g.Nodes[id].Shape
	}
	plain, dilated := build(t, Large, nil), build(t, Large, func(c *Config) { c.Dilated = true })
	assert.Equal(t, nn.Shape{H: 14, W: 14, C: 112}, at(dilated, "bneck12.add"))
	assert.Equal(t, nn.Shape{H: 7, W: 7, C: 160}, at(plain, "bneck15.add"))
	assert.Equal(t, nn.Shape{H: 14, W: 14, C: 160}, at(dilated, "bneck15.add"))
	assert.Equal(t, nn.Shape{H: 14, W: 14, C: 960}, at(dilated, "head"))
	assert.Equal(t, plain.Total(nil).Params, dilated.Total(nil).Params)
	assert.Greater(t, dilated.Total(nil).MACs, plain.Total(nil).MACs)
	for i := 1; i <= 15; i++ {
		id, ok := dilated.Lookup(fmt.Sprintf("bneck%d.depthwise", i))
		require.True(t, ok)
		conv := dilated.Nodes[id].Op.(*nn.Conv2D)
		want := 1
		if i >= 13 {
			want = 2
			assert.Equal(t, 1, conv.StrideH)
		}
		assert.Equal(t, want, conv.DilationH, "bneck %d", i)
		assert.Equal(t, want, conv.DilationW, "bneck %d", i)
	}
	_, residual := dilated.Lookup("bneck13.add")
	assert.False(t, residual, "dilation takes the place of a stride, which has no residual")

	// At this width all bnecks have 8 channels in and out.
	narrow := build(t, Large, func(c *Config) { c.Dilated, c.Width = true, 0.05 })
	_, residual = narrow.Lookup("bneck13.add")
	assert.False(t, residual)
	_, residual = narrow.Lookup("bneck14.add")
	assert.True(t, residual)

	small := build(t, Small, func(c *Config) { c.Dilated = true })
	assert.Equal(t, nn.Shape{H: 14, W: 14, C: 96}, at(small, "bneck11.add"))

	odd := build(t, Large, func(c *Config) { c.Height, c.InputW = 33, 500 })
	assert.Equal(t, nn.Shape{H: 33, W: 500, C: 3}, odd.Input())
	assert.Equal(t, nn.Shape{H: 2, W: 16, C: 960}, at(odd, "head"))
}

func TestConfigErrors(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"arch":          {func(c *Config) { c.Arch = "mobilenet_v2" }, `"mobilenet_v2"`},
		"no arch":       {func(c *Config) { c.Arch = "" }, Large},
		"width 0":       {func(c *Config) { c.Width = 0 }, "width multiplier 0"},
		"width -1":      {func(c *Config) { c.Width = -1 }, "width multiplier -1"},
		"width NaN":     {func(c *Config) { c.Width = nan }, "width multiplier NaN"},
		"width 9":       {func(c *Config) { c.Width = 9 }, "width multiplier 9"},
		"classes":       {func(c *Config) { c.Classes = 0 }, "0 classes"},
		"many classes":  {func(c *Config) { c.Classes = 1 << 17 }, "131072 classes"},
		"height":        {func(c *Config) { c.Height = 31 }, "31x224"},
		"input width":   {func(c *Config) { c.InputW = 5000 }, "224x5000"},
		"SE ratio":      {func(c *Config) { c.SERatio = 1.5 }, "SE ratio 1.5"},
		"SE ratio < 0":  {func(c *Config) { c.SERatio = -0.1 }, "SE ratio -0.1"},
		"SE ratio NaN":  {func(c *Config) { c.SERatio = nan }, "SE ratio NaN"},
		"empty (Small)": {func(c *Config) { *c = Config{Arch: Small} }, "width multiplier 0"},
	} {
		t.Run(name, func(t *testing.T) {
			config := Default(Large)
			c.change(&config)
			g, err := New(config)
			assert.Nil(t, g)
			require.ErrorIs(t, err, ErrConfig)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

// TestExtremes: the corners of what Config allows are networks.
func TestExtremes(t *testing.T) {
	for _, arch := range []string{Large, Small} {
		for _, width := range []float64{1e-9, 0.1, 8} {
			for _, ratio := range []float64{0, 1e-9, 1} {
				for _, side := range []int{32, 4096} {
					g, err := New(Config{Arch: arch, Width: width, Classes: 1, Height: side, InputW: 32, SERatio: ratio, Dilated: side == 32})
					require.NoError(t, err)
					assert.Positive(t, g.Total(nil).MACs)
				}
			}
		}
	}
	_, err := New(Config{Arch: Large, Width: 1, Classes: 1 << 16, Height: 4096, InputW: 4096, SERatio: 0.25})
	assert.NoError(t, err)
}
