package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/bench/synthetic"
	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
)

// benchmark is what bench prints.
type benchmark struct {
	Model          string           `json:"model"`
	Input          nn.Shape         `json:"input"`
	MACs           int64            `json:"macs"`
	Machine        machine          `json:"machine"`
	Configurations []*configuration `json:"configurations"`
	Preprocess     preparation      `json:"preprocess"`
	ColdStart      *coldStart       `json:"cold_start,omitempty"`
}

type benchOptions struct {
	threads                    []int
	isas                       []string
	warmup, rounds, iterations int
	starts                     int
	arch                       string
	width                      float64
	input                      int
}

func (a *app) benchCommand() *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench MODEL",
		Short: "Measure how fast a model runs here, step by step",
		Long: `Runs the int8 network, from quantised input to logits, once for every number of
threads and instruction set asked for. Each is warmed up; then rounds alternate
between them, so that whatever else the machine does meets all alike. Given are
the least, the median and the 99th percentile of the inference time; for each step
the least time it took, its multiply-accumulates per second and its share; memory
allocations per inference; the time to prepare a 640x480 camera frame; and the
cold start: from the start of a process that opens the model and reads a 640x480
JPEG to its first label, and that process's largest resident memory.

Instead of MODEL, --arch measures a network with random weights, of any --input
and --width.`,
		Example: `  seedge bench default --threads 1,2
  seedge bench int8.safetensors --isa vnni,avx2 --json
  seedge bench --arch mobilenet_v3_small --input 224 --width 0.5`,
		Args: func(c *cobra.Command, args []string) error {
			if o.arch != "" && len(args) == 0 {
				return nil
			}
			return exactly("MODEL")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("threads") {
				o.threads = upTo(o.threads, runtime.GOMAXPROCS(0))
			}
			if o.arch != "" && len(args) > 0 {
				return fmt.Errorf("both MODEL and --arch; want one of them")
			}
			for _, f := range []string{"width", "input"} {
				if o.arch == "" && c.Flags().Changed(f) {
					return fmt.Errorf("--%s describes a random network; name its --arch, or leave it out", f)
				}
			}
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			return a.bench(c.Context(), path, o)
		},
	}
	f := c.Flags()
	f.IntSliceVar(&o.threads, "threads", []int{1, 2, 4}, "numbers of threads to measure; the default leaves out those above the CPUs there are")
	f.StringSliceVar(&o.isas, "isa", nil, "instruction sets to measure: generic, neon, dotprod, i8mm, avx2, vnni (default this CPU's best)")
	f.IntVar(&o.warmup, "warmup", 20, "inferences before the first that counts")
	f.IntVar(&o.rounds, "rounds", 10, "rounds, alternating between what is measured")
	f.IntVar(&o.iterations, "iterations", 30, "inferences in a round")
	f.IntVar(&o.starts, "starts", 5, "cold starts; 0: none")
	f.StringVar(&o.arch, "arch", "", "measure random weights: mobilenet_v3_large or mobilenet_v3_small")
	f.IntVar(&o.input, "input", 224, "side of the random network's input, in pixels")
	f.Float64Var(&o.width, "width", 1, "width multiplier of the random network")
	return c
}

// upTo keeps the numbers that are at most n, and 1 in any case.
func upTo(numbers []int, n int) []int {
	var kept []int
	for _, t := range numbers {
		if t <= max(n, 1) {
			kept = append(kept, t)
		}
	}
	return kept
}

func (o benchOptions) check() error {
	for _, n := range o.threads {
		if err := checkThreads(n); err != nil {
			return err
		}
	}
	const most = 1 << 20
	for name, n := range map[string]int{"warmup": o.warmup, "starts": o.starts} {
		if n < 0 || n > most {
			return fmt.Errorf("--%s is %d, want 0 to %d", name, n, most)
		}
	}
	for name, n := range map[string]int{"rounds": o.rounds, "iterations": o.iterations} {
		if n < 1 || n > most {
			return fmt.Errorf("--%s is %d, want 1 to %d", name, n, most)
		}
	}
	return nil
}

func (a *app) bench(ctx context.Context, path string, o benchOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	isas, err := chosenISAs(o.isas)
	if err != nil {
		return err
	}
	// The cold start comes first, while this process has done nothing that
	// could disturb it; a random network must be made and written before.
	m, path, remove, err := benchModel(ctx, path, o)
	if err != nil {
		return err
	}
	defer remove()
	if m.Precision != modelfile.Int8 {
		return fmt.Errorf("%s is %s, which is for reference and not for speed; make an int8 model with `seedge quantise`", path, m.Precision)
	}
	b := benchmark{Model: m.Name, Input: m.Input(), Machine: thisMachine()}
	if o.starts > 0 {
		if b.ColdStart, err = startCold(ctx, path, o.starts); err != nil {
			return err
		}
	}
	if b.Preprocess, err = timeFrames(m.Preprocess); err != nil {
		return err
	}
	for _, isa := range isas {
		for _, n := range o.threads {
			c, err := newConfiguration(m.Quantised, isa, n)
			if err != nil {
				return err
			}
			defer c.close()
			b.Configurations = append(b.Configurations, c)
		}
	}
	b.MACs = b.Configurations[0].program.MACs()
	if err := measureRounds(ctx, b.Configurations, o); err != nil {
		return err
	}
	if a.json {
		return a.emit(b)
	}
	return a.printBenchmark(b)
}

// chosenISAs are the instruction sets of --isa. Without it, it is the one that
// any program would run with here.
func chosenISAs(names []string) ([]kernel.ISA, error) {
	if len(names) == 0 {
		names = []string{os.Getenv("SEEDGE_ISA")}
	}
	var isas []kernel.ISA
	for _, name := range names {
		isa, err := kernel.ParseISA(name)
		if err != nil {
			return nil, err
		}
		isas = append(isas, isa)
	}
	return isas, nil
}

// benchModel reads the model, or makes a random one and writes it where the cold
// start finds it, until remove.
func benchModel(ctx context.Context, path string, o benchOptions) (m *modelfile.Model, at string, remove func(), err error) {
	if o.arch == "" {
		m, err = readModel(path)
		return m, path, func() {}, err
	}
	c := mobilenetv3.Default(o.arch)
	c.Width, c.Height, c.InputW = o.width, o.input, o.input
	if m, err = synthetic.Int8(ctx, c, 1); err != nil {
		return nil, "", nil, err
	}
	dir, err := os.MkdirTemp("", "seedge-bench")
	if err != nil {
		return nil, "", nil, err
	}
	at = filepath.Join(dir, "random.int8.safetensors")
	if err := modelfile.Write(at, m); err != nil {
		return nil, "", nil, fmt.Errorf("%w; %w", err, os.RemoveAll(dir))
	}
	return m, at, func() { _ = os.RemoveAll(dir) }, nil
}
