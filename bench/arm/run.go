package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/internal/modelfile"
)

// run is what is counted. All but the inferences is the same for any number of
// them, so it drops out of a difference.
func run(path string, times int) error {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // nothing is allocated after the start
	m, err := modelfile.Read(path)
	if err != nil {
		return err
	}
	if m.Quantised == nil {
		return fmt.Errorf("%s is %s, want an int8 model", path, m.Precision)
	}
	isa, err := kernel.ParseISA("")
	if err != nil {
		return err
	}
	p, err := engine.CompileFor(m.Quantised, isa)
	if err != nil {
		return err
	}
	s := p.NewSession()
	pixels := make([]int8, len(s.Input()))
	r := rand.New(rand.NewPCG(5, 6))
	for i := range pixels {
		pixels[i] = int8(r.IntN(256) - 128)
	}
	for range times {
		copy(s.Input(), pixels)
		s.Run()
	}
	fmt.Println(isa)
	return nil
}
