package sdk

import (
	"context"
	"fmt"
	"image"
	"slices"
)

// Prediction is one class and how probable it is.
type Prediction struct {
	Index       int     // of the class, from 0, in the order of the logits
	Label       string  // empty where the model has no labels
	Probability float32 // softmax over all classes, 0 to 1
}

// Classify returns the most probable classes, the best first; equally probable
// ones in order of their index. WithTopK sets how many.
func (m *Model) Classify(ctx context.Context, img image.Image) ([]Prediction, error) {
	return m.ClassifyInto(ctx, img, nil)
}

// ClassifyInto is Classify into dst, whose elements are overwritten: it returns
// dst[:k], grown if its capacity is below k. With the slice that the last call
// returned it allocates nothing. On an error it returns dst[:0].
func (m *Model) ClassifyInto(ctx context.Context, img image.Image, dst []Prediction) ([]Prediction, error) {
	s, err := m.begin(ctx, img)
	if err != nil {
		return dst[:0], err
	}
	defer m.end(s)
	return m.predictions(s, dst), nil
}

// predictions are those of a session's latest run, into dst.
func (m *Model) predictions(s *session, dst []Prediction) []Prediction {
	dst = slices.Grow(dst[:0], min(m.options.topK, len(s.logits)))[:min(m.options.topK, len(s.logits))]
	top(dst, s.logits)
	p := s.probabilities()
	for i := range dst {
		d := &dst[i]
		d.Probability, d.Label = p[d.Index], ""
		if len(m.info.Labels) > 0 {
			d.Label = m.info.Labels[d.Index]
		}
	}
	return dst
}

// Logits returns the network's raw output, one number per class. For an int8
// model they are the same bits on every machine.
func (m *Model) Logits(ctx context.Context, img image.Image) ([]float32, error) {
	s, err := m.begin(ctx, img)
	if err != nil {
		return nil, err
	}
	defer m.end(s)
	return slices.Clone(s.logits), nil
}

// Outputs is Logits and Embed in one run. features is nil where the network has no
// embedding.
func (m *Model) Outputs(ctx context.Context, img image.Image) (logits, features []float32, err error) {
	s, err := m.begin(ctx, img)
	if err != nil {
		return nil, nil, err
	}
	defer m.end(s)
	if m.features {
		features = slices.Clone(s.network.features())
	}
	return slices.Clone(s.logits), features, nil
}

// Embed returns the pooled features before the classifier, a vector to compare
// or cluster pictures by. It is not normalised. The error wraps ErrNoEmbedding
// where the network has none.
func (m *Model) Embed(ctx context.Context, img image.Image) ([]float32, error) {
	return m.EmbedInto(ctx, img, nil)
}

// EmbedInto is Embed into dst, whose elements are overwritten: it returns dst[:n]
// for an embedding of n numbers, grown if its capacity is below n. With the slice
// that the last call returned it allocates nothing. On an error it returns
// dst[:0].
func (m *Model) EmbedInto(ctx context.Context, img image.Image, dst []float32) ([]float32, error) {
	if !m.features {
		return dst[:0], fmt.Errorf("sdk: %s: %w", m.info.Name, ErrNoEmbedding)
	}
	s, err := m.begin(ctx, img)
	if err != nil {
		return dst[:0], err
	}
	defer m.end(s)
	return append(dst[:0], s.network.features()...), nil
}
