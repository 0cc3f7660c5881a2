package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// machine is where the figures come from; none are worth anything without it.
type machine struct {
	CPU      string `json:"cpu,omitempty"`
	CPUs     int    `json:"cpus"`
	Platform string `json:"platform"`
	Go       string `json:"go"`
}

func thisMachine() machine {
	m := machine{CPUs: runtime.NumCPU(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	text, _ := os.ReadFile("/proc/cpuinfo") // elsewhere than on Linux the name is left out
	for l := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(l, ":"); strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// quantiles are of many runs of the same thing, in milliseconds.
type quantiles struct {
	Min    float64 `json:"min_ms"`
	Median float64 `json:"median_ms"`
	P99    float64 `json:"p99_ms"`
}

// quantilesOf sorts times, of which there is at least one.
func quantilesOf(times []time.Duration) quantiles {
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1)+0.5)].Nanoseconds()) / 1e6
	}
	return quantiles{at(0), at(0.5), at(0.99)}
}

// configuration is one way to run the network, and what it took.
type configuration struct {
	ISA     string `json:"isa"`
	Threads int    `json:"threads"`
	quantiles
	GMACs       float64     `json:"gmac_per_s"` // of the least time
	Allocations float64     `json:"allocations_per_run"`
	ArenaBytes  int         `json:"arena_bytes"`
	WeightBytes int         `json:"weight_bytes"`
	Steps       []benchStep `json:"steps"`

	program *engine.Program
	pool    *engine.Pool
	session *engine.Session
	image   []int8
	times   []time.Duration
}

// benchStep is a step of the plan and the least time it took.
type benchStep struct {
	engine.Step
	Min   float64 `json:"min_ms"`
	GMACs float64 `json:"gmac_per_s"`
	Share float64 `json:"share"` // of the sum over all steps
}

func newConfiguration(q *nn.Quantised, isa kernel.ISA, threads int) (*configuration, error) {
	p, err := engine.CompileFor(q, isa)
	if err != nil {
		return nil, err
	}
	c := &configuration{
		ISA: isa.String(), Threads: threads, ArenaBytes: p.ArenaBytes(), WeightBytes: p.WeightBytes(),
		program: p, pool: p.NewPool(threads), image: make([]int8, p.Input().Len()),
	}
	c.session = c.pool.NewSession()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range c.image {
		c.image[i] = int8(r.IntN(256) - 128)
	}
	return c, nil
}

func (c *configuration) close() { c.pool.Close() }

// input fills the input, which a run may overwrite; it is not part of the time.
func (c *configuration) input() { copy(c.session.Input(), c.image) }

func (c *configuration) run() {
	c.input()
	c.session.Run()
}

// measureRounds fills in every configuration.
func measureRounds(ctx context.Context, all []*configuration, o benchOptions) error {
	for _, c := range all {
		for range o.warmup {
			c.run()
		}
	}
	for range o.rounds {
		for _, c := range all {
			for range 2 { // the caches hold another's weights
				c.run()
			}
			for range o.iterations {
				c.input()
				before := time.Now()
				c.session.Run()
				c.times = append(c.times, time.Since(before))
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	for _, c := range all {
		c.quantiles = quantilesOf(c.times)
		c.GMACs = gmacs(c.program.MACs(), c.Min)
		c.Allocations = allocations(10, c.run)
		c.timeSteps(o.iterations)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// gmacs is in 1e9 multiply-accumulates per second.
func gmacs(macs int64, ms float64) float64 {
	if ms == 0 {
		return 0
	}
	return float64(macs) / ms / 1e6
}

// allocations is how many a run makes on average.
func allocations(runs int, run func()) float64 {
	least := ^uint64(0)
	for range 3 { // the runtime's own may fall into one
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			run()
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
	}
	return float64(least / uint64(runs)) // whole ones: fewer than one per run belong to the runtime
}

// timeSteps takes for each step the least of several runs.
func (c *configuration) timeSteps(runs int) {
	steps := c.program.Steps()
	elapsed := make([]time.Duration, len(steps))
	least := make([]time.Duration, len(steps))
	for i := range least {
		least[i] = time.Hour
	}
	for range runs {
		c.input()
		clear(elapsed)
		c.session.RunTimed(elapsed)
		for i, d := range elapsed {
			least[i] = min(least[i], d)
		}
	}
	var sum time.Duration
	for _, d := range least {
		sum += d
	}
	c.Steps = nil
	for i, s := range steps {
		ms := float64(least[i].Nanoseconds()) / 1e6
		share := 0.0
		if sum > 0 {
			share = float64(least[i]) / float64(sum)
		}
		c.Steps = append(c.Steps, benchStep{Step: s, Min: ms, GMACs: gmacs(s.MACs, ms), Share: share})
	}
}

// preparation is how long camera frames take to become the network's input.
type preparation struct {
	Source string `json:"source"`
	quantiles
	Allocations float64 `json:"allocations_per_run"`
}

const frameW, frameH = 640, 480

// timeFrames prepares camera frames on one thread.
func timeFrames(spec preprocess.Spec) (preparation, error) {
	p, err := preprocess.New(spec)
	if err != nil {
		return preparation{}, err
	}
	f := newFrame()
	var table [3][256]int8
	for c := range table {
		for v := range table[c] {
			table[c][v] = int8(v - 128)
		}
	}
	input := make([]int8, spec.Width*spec.Height*3)
	times := make([]time.Duration, 200)
	for range 2 {
		for i := range times {
			before := time.Now()
			if err = p.Int8(input, &table, f); err != nil {
				return preparation{}, err
			}
			times[i] = time.Since(before)
		}
	}
	n := allocations(10, func() { err = p.Int8(input, &table, f) })
	return preparation{fmt.Sprintf("%dx%d BGR", frameW, frameH), quantilesOf(times), n}, err
}

// frame is a camera's: packed BGR.
type frame struct{ pix []byte }

func newFrame() *frame {
	f := &frame{make([]byte, 3*frameW*frameH)}
	for i := range f.pix {
		x, y := i/3%frameW, i/3/frameW
		f.pix[i] = byte(x*(i%3+1)/3 ^ y)
	}
	return f
}

func (f *frame) BGR() ([]byte, int)      { return f.pix, 3 * frameW }
func (f *frame) ColorModel() color.Model { return color.RGBAModel }
func (f *frame) Bounds() image.Rectangle { return image.Rect(0, 0, frameW, frameH) }
func (f *frame) At(x, y int) color.Color {
	p := f.pix[3*(y*frameW+x):]
	return color.RGBA{p[2], p[1], p[0], 255}
}
