package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// ends are what can follow a product.
var ends = []struct {
	name     string
	f        Activation
	residual bool
}{
	{"identity", Identity, false}, {"relu", ReLU, false}, {"relu6", ReLU6, false}, {"hard_swish", HardSwish, false},
	{"residual", Identity, true}, {"residual relu", ReLU, true},
}

// product is a matrix and the inputs to it.
type product struct {
	rows, k, n    int
	weight        []int8
	bias          []int32
	src, residual []int8
	epilogue      Epilogue
}

// randomProduct draws any values, or those that fill accumulators fastest.
func randomProduct(r *rand.Rand, rows, k, n int, f Activation, residual bool) *product {
	p := &product{rows: rows, k: k, n: n, weight: make([]int8, n*k), bias: make([]int32, n), epilogue: randomEpilogue(r, f, n)}
	p.src = randomInt8(r, rows*k, 128)
	mode := r.IntN(5)
	for i := range p.weight {
		p.weight[i] = int8(r.IntN(255) - 127)
		if mode < 2 {
			p.weight[i] = int8(254*mode - 127)
		}
	}
	if mode < 3 {
		end := int8(255*r.IntN(2) - 128)
		for i := range p.src {
			p.src[i] = end
		}
	}
	for o := range p.bias {
		p.bias[o] = r.Int32N(20001) - 10000
		if mode == 4 {
			p.bias[o] = r.Int32() - 1<<30
		}
		m := &p.epilogue.Multiplier[o]
		*m /= 1 + float32(k)/16
		if r.IntN(6) == 0 {
			*m = []float32{0.5, 0.25, -0.125, 0, 0.015625}[r.IntN(5)] // halves, saturation
		}
	}
	if mode == 4 {
		for o := range p.bias {
			p.epilogue.Multiplier[o] = 1e-7 * (r.Float32() - 0.5)
		}
	}
	if residual {
		p.residual = randomInt8(r, rows*n, 128)
		p.epilogue.ResidualZero = randomInt8(r, n, 128)
		p.epilogue.ResidualM = make([]float32, n)
		for o := range n {
			p.epilogue.ResidualM[o] = r.Float32()*2 - 0.5
		}
	}
	return p
}

// want is the portable kernel's output.
func (p *product) want() []int8 {
	dst := make([]int8, p.rows*p.n)
	m := PackMatrix(p.weight, p.bias, p.n, p.k)
	Pointwise(dst, p.src, p.residual, p.rows, m, &p.epilogue, make([]int32, TileRows*p.n))
	return dst
}

func (p *product) wantLogits() []float32 {
	dst := make([]float32, p.n)
	Logits(dst, p.src[:p.k], PackMatrix(p.weight, p.bias, p.n, p.k), p.epilogue.Multiplier, make([]int32, TileRows*p.n))
	return dst
}

// packFor packs for one tile alone; nil if the tile cannot compute the shape.
func (p *product) packFor(t gemmTile, logits bool) *GEMM {
	rows := p.rows
	if logits {
		rows = 1
	}
	if family([]gemmTile{t}, t.isa, rows, p.n) == nil || t.masked && (p.n-1)%t.cols < t.cols-16 {
		return nil
	}
	var m *GEMM
	if logits {
		m = PackLogits(t.isa, p.weight, p.bias, p.n, p.k, p.epilogue.Multiplier)
	} else {
		m = PackGEMM(t.isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
	}
	m.matrix, m.panels, m.pairs = nil, nil, nil
	m.pack([]gemmTile{t}, p.weight, p.bias)
	return m
}

func supported(isa ISA) bool { return slices.Contains(ISAs(), isa) }

func (t *gemmTile) String() string { return fmt.Sprintf("%s %dx%d", t.isa, t.rows, t.cols) }

// TestPackGEMM: which kernel a shape gets.
func TestPackGEMM(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, isa := range ISAs() {
		p := randomProduct(r, 30, 24, 72, HardSwish, false)
		m := PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
		require.Equal(t, isa, m.ISA(), "a level without a GEMM of its own")
		require.Contains(t, m.String(), isa.String())

		p = randomProduct(r, 30, 24, 72, HardSwish, true) // no kernel has it
		m = PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
		require.Equal(t, Generic, m.ISA())
		dst := make([]int8, p.rows*p.n)
		m.Run(dst, flipped(p.src, isa), flipped(p.residual, isa), p.rows, NewWorkspace(m.Needs()))
		require.Equal(t, p.want(), flipped(dst, isa))

		p = randomProduct(r, 3, 24, 2, Identity, false) // narrower than most tiles
		m = PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
		dst = make([]int8, p.rows*p.n)
		m.Run(dst, flipped(p.src, isa), flipped(p.residual, isa), p.rows, NewWorkspace(m.Needs()))
		require.Equal(t, p.want(), flipped(dst, isa))
	}
}
