package sdk

import (
	"fmt"
	"image"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// session is everything one image at a time needs. It is not safe for
// concurrent use.
type session struct {
	pixels  *preprocess.Processor
	network network
	logits  []float32 // of the latest run, valid until the next
	softmax []float32
}

// network runs an image that pixels prepares.
type network interface {
	run(pixels *preprocess.Processor, img image.Image) (logits []float32, err error)
	// infer runs an input that a preparer of the same model filled.
	infer(in *input) (logits []float32, err error)
	// features is the embedding of the latest run, valid until the next.
	features() []float32
}

func newSession(spec preprocess.Spec, n network) (*session, error) {
	pixels, err := preprocess.New(spec)
	if err != nil {
		return nil, err
	}
	return &session{pixels: pixels, network: n}, nil
}

func (s *session) run(img image.Image) error {
	logits, err := s.network.run(s.pixels, img)
	if err != nil {
		return err
	}
	return s.keep(logits)
}

// infer is run for an input that was prepared elsewhere.
func (s *session) infer(in *input) error {
	logits, err := s.network.infer(in)
	if err != nil {
		return err
	}
	return s.keep(logits)
}

func (s *session) keep(logits []float32) error {
	for i, v := range logits {
		if v-v != 0 {
			return fmt.Errorf("%w: logit %d is %g; the model's weights overflow, quantise or train it again", ErrNotFinite, i, v)
		}
	}
	s.logits = logits
	return nil
}

// probabilities is the softmax of the latest run's logits.
func (s *session) probabilities() []float32 {
	if s.softmax == nil {
		s.softmax = make([]float32, len(s.logits))
	}
	nn.Probabilities(s.logits, s.softmax)
	return s.softmax
}

// intNetwork is an int8 network on the engine.
type intNetwork struct {
	engine *engine.Session
	table  *[3][256]int8
}

func newIntSession(spec preprocess.Spec, p *engine.Pool, table *[3][256]int8) (*session, error) {
	return newSession(spec, &intNetwork{p.NewSession(), table})
}

func (n *intNetwork) run(pixels *preprocess.Processor, img image.Image) ([]float32, error) {
	if err := pixels.Int8(n.engine.Input(), n.table, img); err != nil {
		return nil, err
	}
	return n.engine.Run(), nil
}

func (n *intNetwork) infer(in *input) ([]float32, error) {
	copy(n.engine.Input(), in.int8)
	return n.engine.Run(), nil
}

func (n *intNetwork) features() []float32 { return n.engine.Features() }

// floatNetwork is a float32 or fp16 network on nn's reference.
type floatNetwork struct {
	float     *nn.Float
	input     []float32
	embedding int // node
}

func newFloatSession(spec preprocess.Spec, g *nn.Graph) (*session, error) {
	f, err := nn.NewFloat(g)
	if err != nil {
		return nil, err
	}
	return newSession(spec, &floatNetwork{f, make([]float32, g.Input().Len()), g.Features})
}

func (n *floatNetwork) run(pixels *preprocess.Processor, img image.Image) ([]float32, error) {
	if err := pixels.Float(n.input, img); err != nil {
		return nil, err
	}
	return n.float.Run(n.input)
}

func (n *floatNetwork) infer(in *input) ([]float32, error) { return n.float.Run(in.float) }

func (n *floatNetwork) features() []float32 { return n.float.Output(n.embedding).Data }
