package quant

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pixel of level v is v - 128 whatever the normalisation; without one, the input
// is rounded to what its tensor can hold.
func TestInputQuantise(t *testing.T) {
	in := Input{Mean: []float32{0.485, 0.456, 1}, Std: []float32{0.229, 0.224, 0.225}}
	g := randomGraph(t, 1)
	image := make([]float32, g.Input().Len())
	want := make([]int8, len(image))
	for i := range image {
		c, v := i%3, i%256
		image[i] = (float32(v)/255 - in.Mean[c]) / in.Std[c]
		want[i] = int8(v - 128)
	}
	images := func(yield func([]float32, error) bool) { yield(image, nil) }
	q, _, err := Quantise(context.Background(), g, images, in, Options{Alpha: 1})
	require.NoError(t, err)
	assert.Equal(t, want, in.Quantise(q.Nodes[0].Out, image))

	q, _, err = Quantise(context.Background(), g, images, Input{}, Options{Alpha: 1})
	require.NoError(t, err)
	out := q.Nodes[0].Out
	for i, got := range (Input{}).Quantise(out, image) {
		c := i % 3
		assert.InDelta(t, image[i], float64(out.Scale[c])*float64(int(got)-int(out.Zero[c])), 1.01*float64(out.Scale[c]))
	}
}
