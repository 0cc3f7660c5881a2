package sdk

import (
	"context"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// The int8 path gives the bytes of the specification: pixels v become v - 128,
// and the integer reference runs on them.
func TestInt8IsTheReference(t *testing.T) {
	m, q := open(t, modelfile.Int8), file(t, modelfile.Int8).Quantised
	pixels, err := preprocess.New(spec())
	require.NoError(t, err)
	reference, err := quant.NewReference(q)
	require.NoError(t, err)
	for seed := range 4 {
		img := picture(seed, 61+seed, 83)
		rgb, err := pixels.RGB(img)
		require.NoError(t, err)
		x := make([]int8, len(rgb))
		for i, v := range rgb {
			x[i] = int8(int(v) - 128)
		}
		want, err := reference.Run(x)
		require.NoError(t, err)
		got, err := m.Logits(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		embedding, err := m.Embed(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, reference.Features(), embedding)
	}
}

func TestFloatIsTheReference(t *testing.T) {
	for _, p := range precisions[:2] {
		m, g := open(t, p), file(t, p).Graph
		f, err := nn.NewFloat(g)
		require.NoError(t, err)
		pixels, err := preprocess.New(spec())
		require.NoError(t, err)
		x := make([]float32, g.Input().Len())
		img := picture(3, 77, 55)
		require.NoError(t, pixels.Float(x, img))
		want, err := f.Run(x)
		require.NoError(t, err)
		got, err := m.Logits(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		embedding, err := m.Embed(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, f.Output(g.Features).Data, embedding)
	}
}

// The three precisions of one network see the same picture in the same way.
func TestPrecisionsAgree(t *testing.T) {
	img := picture(11, 64, 64)
	want, err := open(t, modelfile.Float32).Embed(t.Context(), img)
	require.NoError(t, err)
	for p, atLeast := range map[modelfile.Precision]float64{modelfile.FP16: 50, modelfile.Int8: 10} {
		got, err := open(t, p).Embed(t.Context(), img)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		var sqnr quant.SQNR
		sqnr.Add(want, got)
		t.Logf("%s: SQNR of the features %.1f dB", p, sqnr.DB())
		assert.Greater(t, sqnr.DB(), atLeast, p)
	}
}

func TestClassify(t *testing.T) {
	for _, p := range precisions {
		t.Run(string(p), func(t *testing.T) {
			img := picture(2, 50, 60)
			m := open(t, p, WithTopK(100))
			logits, err := m.Logits(t.Context(), img)
			require.NoError(t, err)
			probabilities := make([]float32, len(logits))
			nn.Probabilities(logits, probabilities)
			all, err := m.Classify(t.Context(), img)
			require.NoError(t, err)
			require.Len(t, all, len(labels))
			var sum float64
			for i, got := range all {
				assert.Equal(t, labels[got.Index], got.Label)
				assert.Equal(t, probabilities[got.Index], got.Probability)
				assert.True(t, i == 0 || got.Probability <= all[i-1].Probability)
				sum += float64(got.Probability)
			}
			assert.InDelta(t, 1, sum, 1e-5)

			three, err := open(t, p, WithTopK(3)).Classify(t.Context(), img)
			require.NoError(t, err)
			assert.Equal(t, all[:3], three)
			five, err := open(t, p).Classify(t.Context(), img)
			require.NoError(t, err)
			assert.Equal(t, all[:5], five)
		})
	}
}

func TestModelWithoutLabelsAndFeatures(t *testing.T) {
	f := file(t, modelfile.Int8)
	q := *f.Quantised
	q.Features = 0
	f.Quantised, f.Labels = &q, nil
	m, err := newModel(f, nil)
	require.NoError(t, err)
	got, err := m.ClassifyInto(t.Context(), picture(2, 50, 60), []Prediction{{Label: "old"}})
	require.NoError(t, err)
	for _, p := range got {
		assert.Empty(t, p.Label)
	}
	_, err = m.Embed(t.Context(), picture(2, 50, 60))
	require.ErrorIs(t, err, ErrNoEmbedding)
	assert.Zero(t, m.Info().Features)
}

func TestInto(t *testing.T) {
	m := open(t, modelfile.Int8, WithTopK(2))
	first, err := m.ClassifyInto(t.Context(), picture(1, 50, 60), make([]Prediction, 7))
	require.NoError(t, err)
	require.Len(t, first, 2)
	saved := slices.Clone(first)
	second, err := m.ClassifyInto(t.Context(), picture(2, 50, 60), nil)
	require.NoError(t, err)
	assert.Equal(t, saved, first)
	again, err := m.ClassifyInto(t.Context(), picture(2, 50, 60), first)
	require.NoError(t, err)
	assert.Equal(t, second, again)
	assert.Same(t, &first[0], &again[0])

	after, err := m.ClassifyInto(t.Context(), nil, again)
	require.ErrorIs(t, err, ErrBadImage)
	assert.Empty(t, after)
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, p := range precisions {
		m, img := open(t, p), image.Image(picture(2, 50, 60))
		predictions, err := m.Classify(ctx, img)
		require.NoError(t, err)
		embedding, err := m.Embed(ctx, img)
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(5, func() {
			predictions, err = m.ClassifyInto(ctx, img, predictions)
		}), "%s: ClassifyInto", p)
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(5, func() {
			embedding, err = m.EmbedInto(ctx, img, embedding)
		}), "%s: EmbedInto", p)
		require.NoError(t, err)
	}
}

func TestOverflowingWeights(t *testing.T) {
	g := nn.NewGraph(nn.Shape{H: 2, W: 2, C: 3})
	pool := g.Add("pool", &nn.GlobalAvgPool{}, 0)
	w := float32(3e38)
	g.Add("fc", &nn.Linear{In: 3, Out: 1, Weight: []float32{w, w, w}, Bias: []float32{w}}, pool)
	require.NoError(t, g.Err())
	m, err := newModel(&modelfile.Model{
		Name: "burst", Precision: modelfile.Float32, Graph: g,
		Preprocess: preprocess.Spec{Width: 2, Height: 2, Interpolation: "bilinear", Std: [3]float32{1, 1, 1}},
	}, nil)
	require.NoError(t, err)
	white := image.NewGray(image.Rect(0, 0, 2, 2))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	_, err = m.Classify(t.Context(), white)
	require.ErrorIs(t, err, ErrNotFinite)
}

func TestTop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		values := make([]float32, 1+rng.IntN(40))
		for i := range values {
			values[i] = float32(rng.IntN(9) - 4) // many ties
		}
		want := make([]Prediction, len(values))
		for i, v := range values {
			want[i] = Prediction{Index: i, Probability: v}
		}
		slices.SortStableFunc(want, func(a, b Prediction) int { return int(b.Probability - a.Probability) })
		k := 1 + rng.IntN(len(values))
		got := make([]Prediction, k)
		top(got, values)
		require.Equal(t, want[:k], got)
	}
}

// Outputs is Logits and Embed in one.
func TestOutputs(t *testing.T) {
	for _, p := range precisions {
		m := open(t, p)
		img := picture(3, 60, 50)
		logits, features, err := m.Outputs(t.Context(), img)
		require.NoError(t, err)
		want, err := m.Logits(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, logits)
		want, err = m.Embed(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, features)
		_, _, err = m.Outputs(t.Context(), nil)
		assert.ErrorIs(t, err, ErrBadImage)
	}
}
