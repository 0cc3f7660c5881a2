package synthetic

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// Int8 is the network of c, with torchvision's preprocessing, the same for the
// same seed. An error wraps mobilenetv3.ErrConfig where c is no network, or is
// ctx's.
func Int8(ctx context.Context, c mobilenetv3.Config, seed uint64) (*modelfile.Model, error) {
	g, err := mobilenetv3.New(c)
	if err != nil {
		return nil, err
	}
	randomise(g, rand.New(rand.NewPCG(seed, 1)))
	spec, err := preprocess.Preset("torchvision", c.InputW, c.Height)
	if err != nil {
		return nil, err
	}
	images := func(yield func([]float32, error) bool) {
		r := rand.New(rand.NewPCG(seed, 2))
		image := make([]float32, g.Input().Len())
		for i := range image {
			image[i] = float32(r.NormFloat64())
		}
		yield(image, nil)
	}
	o := quant.Defaults()
	o.KeepBias = true // the correction takes long and is of no use to random weights
	m := &modelfile.Model{Name: c.Arch, Precision: modelfile.Int8, Preprocess: spec}
	m.Quantised, _, err = quant.Quantise(ctx, g, images, quant.Input{Mean: spec.Mean[:], Std: spec.Std[:]}, o)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// randomise fills a graph's parameters such that activations neither vanish nor
// explode.
func randomise(g *nn.Graph, r *rand.Rand) {
	for _, n := range g.Nodes[1:] {
		for _, p := range n.Op.Params() {
			inputs := 1 // to an output
			for _, d := range p.Shape[1:] {
				inputs *= d
			}
			v := make([]float32, p.Len())
			for i := range v {
				x := r.NormFloat64()
				switch {
				case len(p.Shape) > 1:
					x *= math.Sqrt(2 / float64(inputs))
				case p.Variance || p.Name == "weight":
					x = math.Exp(0.3 * x)
				default:
					x *= 0.2
				}
				v[i] = float32(x)
			}
			*p.Data = v
		}
	}
}
