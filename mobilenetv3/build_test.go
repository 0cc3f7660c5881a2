package mobilenetv3

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

func TestLargeCounts(t *testing.T) {
	g, err := New(Default(Large))
	require.NoError(t, err)
	assert.Equal(t, nn.Cost{Params: 5_483_032, MACs: 216_589_760}, g.Total(nil))
	se := g.Total(nn.IsSqueezeExcite)
	t.Logf("SE share: %d of the parameters, %d of the MACs", se.Params, se.MACs)
	var widths []int
	for _, n := range g.Nodes {
		if s, ok := n.Op.(*nn.SqueezeExcite); ok {
			widths = append(widths, s.Squeezed)
		}
	}
	assert.Equal(t, []int{24, 32, 32, 120, 168, 168, 240, 240}, widths)
}
