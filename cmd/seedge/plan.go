package main

import (
	"fmt"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/modelfile"
)

// plan is what inspect --plan --json prints.
type plan struct {
	Model       string        `json:"model"`
	ISA         string        `json:"isa"`
	ArenaBytes  int           `json:"arena_bytes"` // of activations, for each image at once
	WeightBytes int           `json:"weight_bytes"`
	MACs        int64         `json:"macs"`
	Steps       []engine.Step `json:"steps"`
}

// printPlan compiles a model for this machine and shows what will run.
func (a *app) printPlan(path string, m *modelfile.Model) error {
	if m.Quantised == nil {
		return fmt.Errorf("%s: a %s model has no plan, the float reference runs it layer by layer; make an int8 one with `seedge quantise`", path, m.Precision)
	}
	p, err := engine.Compile(m.Quantised)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if a.json {
		return a.emit(plan{path, p.ISA(), p.ArenaBytes(), p.WeightBytes(), p.MACs(), p.Steps()})
	}
	a.printf("%s", p)
	return nil
}
