package sdk

import (
	"image"

	"github.com/seedge/seedge/internal/preprocess"
)

// input is an image as a network wants it: one of the two, NHWC.
type input struct {
	int8  []int8
	float []float32
}

// preparer turns images into inputs of one model, apart from the sessions that
// run them, so that both happen at once. It is not safe for concurrent use.
type preparer struct {
	pixels *preprocess.Processor
	table  *[3][256]int8 // nil: the input is float
	size   int
}

func newPreparer(spec preprocess.Spec, table *[3][256]int8) (*preparer, error) {
	pixels, err := preprocess.New(spec)
	if err != nil {
		return nil, err
	}
	return &preparer{pixels: pixels, table: table, size: 3 * spec.Width * spec.Height}, nil
}

// prepare fills in, whose memory it reuses.
func (p *preparer) prepare(in *input, img image.Image) error {
	if p.table == nil {
		if len(in.float) != p.size {
			in.float = make([]float32, p.size)
		}
		return p.pixels.Float(in.float, img)
	}
	if len(in.int8) != p.size {
		in.int8 = make([]int8, p.size)
	}
	return p.pixels.Int8(in.int8, p.table, img)
}
