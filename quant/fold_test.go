package quant

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

func TestFoldBatchNormKeepsTheFunction(t *testing.T) {
	for seed := range uint64(20) {
		g := randomGraph(t, seed)
		folded, err := FoldBatchNorm(g)
		require.NoError(t, err)
		for _, n := range folded.Nodes {
			_, norm := n.Op.(*nn.BatchNorm)
			assert.False(t, norm, "%s is still a batch norm", n.Name)
		}
		assert.Equal(t, g.Nodes[g.Features].Name, folded.Nodes[folded.Features].Name)
		a, err := nn.NewFloat(g)
		require.NoError(t, err)
		b, err := nn.NewFloat(folded)
		require.NoError(t, err)
		for _, image := range pixels(g.Input(), 3, seed) {
			want, err := a.Run(image)
			require.NoError(t, err)
			got, err := b.Run(image)
			require.NoError(t, err)
			assert.InDeltaSlice(t, want, got, 1e-5)
		}
	}
}

func TestFoldBatchNormLeavesTheOriginalAlone(t *testing.T) {
	g := randomGraph(t, 1)
	before := append([]float32(nil), g.Nodes[1].Op.(*nn.Conv2D).Weight...)
	_, err := FoldBatchNorm(g)
	require.NoError(t, err)
	assert.Equal(t, before, g.Nodes[1].Op.(*nn.Conv2D).Weight)
	assert.False(t, g.Nodes[1].Op.(*nn.Conv2D).HasBias)
}

// A convolution with a second reader must not be changed under it.
func TestFoldBatchNormWithTwoReaders(t *testing.T) {
	g := nn.NewGraph(nn.Shape{H: 4, W: 4, C: 3})
	c := g.Add("conv", conv(3, 4, 1, 1, 1, nn.Padding{}, true), 0)
	b := g.Add("bn", &nn.BatchNorm{C: 4, Eps: 1e-3}, c)
	s := g.Add("sum", &nn.Add{}, c, b)
	p := g.Add("pool", &nn.GlobalAvgPool{}, s)
	g.Add("classifier", &nn.Linear{In: 4, Out: 2}, p)
	require.NoError(t, g.Err())
	fill(g, newRand(3))
	folded, err := FoldBatchNorm(g)
	require.NoError(t, err)
	a, err := nn.NewFloat(g)
	require.NoError(t, err)
	f, err := nn.NewFloat(folded)
	require.NoError(t, err)
	image := pixels(g.Input(), 1, 1)[0]
	want, err := a.Run(image)
	require.NoError(t, err)
	got, err := f.Run(image)
	require.NoError(t, err)
	assert.InDeltaSlice(t, want, got, 1e-5)
}

func TestFoldBatchNormNamesBadVariance(t *testing.T) {
	g := randomGraph(t, 2)
	id, _ := g.Lookup("stem.bn")
	g.Nodes[id].Op.(*nn.BatchNorm).Var[1] = -0.3
	_, err := FoldBatchNorm(g)
	require.ErrorContains(t, err, "stem.bn.running_var[1] is -0.3")
}

func TestHalfWeights(t *testing.T) {
	g := randomGraph(t, 3)
	half, err := HalfWeights(g)
	require.NoError(t, err)
	again, err := HalfWeights(half)
	require.NoError(t, err)
	for i, n := range half.Nodes[1:] {
		for j, p := range n.Op.Params() {
			assert.Equal(t, *p.Data, *again.Nodes[i+1].Op.Params()[j].Data, "%s.%s is not exact in half", n.Name, p.Name)
		}
	}
	id, _ := g.Lookup("classifier")
	g.Nodes[id].Op.(*nn.Linear).Weight[3] = 1e6
	_, err = HalfWeights(g)
	require.ErrorContains(t, err, "classifier.weight[3] is 1e+06")
}
