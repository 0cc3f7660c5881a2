package quant

import (
	"fmt"

	"github.com/x448/float16"

	"github.com/seedge/seedge/nn"
)

// HalfWeights returns the network with its batch norms folded and every
// parameter rounded to IEEE half precision, ties to even: the fp16 model. A
// parameter beyond half's range (65504) is an error naming it.
func HalfWeights(g *nn.Graph) (*nn.Graph, error) {
	folded, err := FoldBatchNorm(g)
	if err != nil {
		return nil, err
	}
	for _, n := range folded.Nodes[1:] {
		for _, p := range n.Op.Params() {
			for i, v := range *p.Data {
				h := float16.Fromfloat32(v)
				if h.IsInf(0) {
					return nil, fmt.Errorf("quantise: %s.%s[%d] is %g, beyond half precision's %g; use int8 or float32", n.Name, p.Name, i, v, 65504.0)
				}
				(*p.Data)[i] = h.Float32()
			}
		}
	}
	return folded, nil
}
