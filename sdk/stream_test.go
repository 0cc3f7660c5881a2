package sdk

import (
	"context"
	"errors"
	"image"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
)

type frame struct {
	img image.Image
	err error
}

func source(frames ...frame) iter.Seq2[image.Image, error] {
	return func(yield func(image.Image, error) bool) {
		for _, f := range frames {
			if !yield(f.img, f.err) {
				return
			}
		}
	}
}

func TestStream(t *testing.T) {
	m := open(t, modelfile.Int8, WithTopK(2))
	glitch := errors.New("glitch")
	a, b := picture(1, 40, 50), picture(2, 60, 50)
	var got []Result
	var errs []error
	for r, err := range m.Stream(t.Context(), source(frame{a, nil}, frame{nil, glitch}, frame{nil, nil}, frame{b, nil})) {
		r.Predictions = slices.Clone(r.Predictions)
		got, errs = append(got, r), append(errs, err)
	}
	require.Len(t, got, 4)
	assert.NoError(t, errs[0])
	assert.Equal(t, glitch, errs[1], "the source's errors pass through as they are")
	assert.ErrorIs(t, errs[2], ErrBadImage, "a bad frame is an error, and the stream goes on")
	assert.NoError(t, errs[3])
	for i, r := range got {
		assert.Equal(t, i, r.Index)
	}
	for i, img := range map[int]image.Image{0: a, 3: b} {
		want, err := m.Classify(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, got[i].Predictions)
		assert.Equal(t, img, got[i].Image)
		assert.Positive(t, got[i].Elapsed)
	}
	assert.Empty(t, got[1].Predictions)
	assert.Empty(t, got[2].Predictions)
}

// endless counts how often it was asked for a frame.
func endless(asked *int) iter.Seq2[image.Image, error] {
	img := picture(1, 40, 50)
	return func(yield func(image.Image, error) bool) {
		for *asked++; yield(img, nil); *asked++ {
		}
	}
}

func TestStreamEnds(t *testing.T) {
	m := open(t, modelfile.Int8)

	asked := 0
	for r := range m.Stream(t.Context(), endless(&asked)) {
		if r.Index == 2 {
			break
		}
	}
	assert.Equal(t, 3, asked, "breaking off stops the source")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked = 0
	var errs []error
	for r, err := range m.Stream(ctx, endless(&asked)) {
		errs = append(errs, err)
		if r.Index == 1 {
			cancel()
		}
	}
	require.Len(t, errs, 3)
	assert.NoError(t, errs[1])
	assert.ErrorIs(t, errs[2], context.Canceled)
	assert.Equal(t, 3, asked)

	errs = nil
	for _, err := range m.Stream(t.Context(), endless(&asked)) {
		errs = append(errs, err)
		require.NoError(t, m.Close(), "closing inside the loop must not wait for the loop")
	}
	require.Len(t, errs, 2)
	assert.ErrorIs(t, errs[1], ErrClosed)

	for _, err := range m.Stream(t.Context(), nil) {
		assert.ErrorIs(t, err, ErrNotImage)
	}
}

func TestStreamAllocatesNothingPerFrame(t *testing.T) {
	m := open(t, modelfile.Int8)
	ctx := t.Context()
	allocations := func(frames int) float64 {
		return testing.AllocsPerRun(3, func() {
			asked := 0
			for r, err := range m.Stream(ctx, endless(&asked)) {
				if err != nil || r.Index == frames {
					break
				}
			}
		})
	}
	few := allocations(2)
	assert.Equal(t, few, allocations(20))
}
