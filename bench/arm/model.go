package main

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

// makeModel writes the network that is counted. How many instructions an
// inference takes does not depend on the weights, so they are random; it is
// quantised as any other is.
func makeModel(path string) error {
	g, err := mobilenetv3.New(mobilenetv3.Default(mobilenetv3.Large))
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	randomise(g, r)
	spec, err := preprocess.Preset("torchvision", g.Input().W, g.Input().H)
	if err != nil {
		return err
	}
	images := func(yield func([]float32, error) bool) {
		pixels := rand.New(rand.NewPCG(3, 4))
		image := make([]float32, g.Input().Len())
		for i := range image {
			image[i] = float32(pixels.NormFloat64())
		}
		yield(image, nil)
	}
	m := &modelfile.Model{Name: mobilenetv3.Large, Precision: modelfile.Int8, Preprocess: spec}
	m.Quantised, _, err = quant.Quantise(context.Background(), g, images, quant.Input{Mean: spec.Mean[:], Std: spec.Std[:]}, quant.Defaults())
	if err != nil {
		return err
	}
	return modelfile.Write(path, m)
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
