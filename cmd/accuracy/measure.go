package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// measurement runs networks over the test images. The first one is what the
// others are compared with.
type measurement struct {
	ctx    context.Context
	spec   preprocess.Spec
	labels []string
	items  []dataset.Item
	ref    []answer
}

// answer is what a network makes of one image.
type answer struct{ logits, features []float32 }

func (a answer) best() int { return slices.Index(a.logits, slices.Max(a.logits)) }

// result is a network's row.
type result struct {
	correct, agree, n int
	features, logits  quant.SQNR
}

func (r result) percent() float64 { return 100 * float64(r.correct) / float64(r.n) }

func (r result) decibels() string {
	if db := r.features.DB(); !math.IsNaN(db) && !math.IsInf(db, 0) {
		return fmt.Sprintf("%.2f dB", db)
	}
	return "-"
}

// network runs one prepared image; it is used by one worker.
type network func(img dataset.Item) (answer, error)

// float measures a float graph.
func (m *measurement) float(g *nn.Graph) (result, error) {
	return m.measure(func(p *preprocess.Processor) (network, error) {
		f, err := nn.NewFloat(g)
		x := make([]float32, g.Input().Len())
		return func(it dataset.Item) (answer, error) {
			img, err := it.Decode()
			if err != nil {
				return answer{}, err
			}
			if err := p.Float(x, img); err != nil {
				return answer{}, err
			}
			logits, err := f.Run(x)
			return answer{slices.Clone(logits), slices.Clone(f.Output(g.Features).Data)}, err
		}, err
	})
}

// int8 measures a quantised network on the engine.
func (m *measurement) int8(q *nn.Quantised) (result, error) {
	program, err := engine.Compile(q)
	if err != nil {
		return result{}, err
	}
	var table [3][256]int8 // pixels are taken as they are: docs/arithmetic.md, section 6
	for c := range table {
		for v := range table[c] {
			table[c][v] = int8(v - 128)
		}
	}
	return m.measure(func(p *preprocess.Processor) (network, error) {
		s := program.NewSession()
		return func(it dataset.Item) (answer, error) {
			img, err := it.Decode()
			if err != nil {
				return answer{}, err
			}
			if err := p.Int8(s.Input(), &table, img); err != nil {
				return answer{}, err
			}
			logits := slices.Clone(s.Run())
			return answer{logits, slices.Clone(s.Features())}, nil
		}, nil
	})
}

func (m *measurement) measure(make func(*preprocess.Processor) (network, error)) (result, error) {
	workers := runtime.GOMAXPROCS(0)
	pre, err := processors(m.spec, workers)
	if err != nil {
		return result{}, err
	}
	var nets []network
	for _, p := range pre {
		n, err := make(p)
		if err != nil {
			return result{}, err
		}
		nets = append(nets, n)
	}
	first := m.ref == nil
	var r result
	for a, err := range dataset.Map(m.ctx, m.items, workers, func(w int, it dataset.Item) (answer, error) { return nets[w](it) }) {
		if err != nil {
			return r, err
		}
		if first {
			m.ref = append(m.ref, a)
		}
		it, ref := m.items[r.n], m.ref[r.n]
		want := slices.Index(m.labels, it.Class)
		if want < 0 {
			return r, fmt.Errorf("%s lies in folder %q, which is no label", it.Path, it.Class)
		}
		r.n++
		if a.best() == want {
			r.correct++
		}
		if a.best() == ref.best() {
			r.agree++
		}
		r.features.Add(ref.features, a.features)
		r.logits.Add(ref.logits, a.logits)
	}
	return r, nil
}
