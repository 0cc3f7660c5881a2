package synthetic

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

func small() mobilenetv3.Config {
	c := mobilenetv3.Default(mobilenetv3.Small)
	c.Width, c.Height, c.InputW = 0.35, 48, 40
	return c
}

// A network is alive: two images give different logits, and not all are equal.
func TestInt8(t *testing.T) {
	m, err := Int8(t.Context(), small(), 1)
	require.NoError(t, err)
	assert.Equal(t, nn.Shape{H: 48, W: 40, C: 3}, m.Input())
	ref, err := quant.NewReference(m.Quantised)
	require.NoError(t, err)
	image := make([]int8, m.Input().Len())
	dark, err := ref.Run(image)
	require.NoError(t, err)
	dark = append([]float32(nil), dark...)
	for i := range image {
		image[i] = int8(i * 37)
	}
	mixed, err := ref.Run(image)
	require.NoError(t, err)
	assert.NotEqual(t, dark, mixed)
	assert.NotEqual(t, mixed[0], mixed[1])

	again, err := Int8(t.Context(), small(), 1)
	require.NoError(t, err)
	assert.Equal(t, m, again, "the same seed gives the same network")
	other, err := Int8(t.Context(), small(), 2)
	require.NoError(t, err)
	assert.NotEqual(t, m, other)
}

func TestErrors(t *testing.T) {
	c := small()
	c.Height = 31
	_, err := Int8(t.Context(), c, 1)
	require.ErrorIs(t, err, mobilenetv3.ErrConfig)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Int8(ctx, small(), 1)
	require.ErrorIs(t, err, context.Canceled)
}
