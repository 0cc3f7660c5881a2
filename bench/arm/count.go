package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cpus are qemu's models of cores for the three levels of kernels.
var cpus = []struct{ name, isa string }{
	{"cortex-a53", "neon"},
	{"cortex-a76", "dotprod"},
	{"max", "i8mm"},
}

// inferences that are counted, besides a first that sets things up.
const inferences = 4

func countAll(model, program, plugin, only string) error {
	counted := 0
	fmt.Println("Millions of instructions per inference, MobileNetV3-Large at 224 px, one thread, quantised input to logits:")
	for _, cpu := range cpus {
		if only != "" && only != cpu.name {
			continue
		}
		counted++
		counts, err := count(model, program, plugin, cpu.name, cpu.isa)
		if err != nil {
			return fmt.Errorf("%s: %w", cpu.name, err)
		}
		print(os.Stdout, cpu.name, cpu.isa, counts)
	}
	if counted == 0 {
		return fmt.Errorf("-cpu %s: want one of %v", only, cpus)
	}
	return nil
}

// count is instructions by function: those of several inferences and a first,
// less those of the first alone.
func count(model, program, plugin, cpu, isa string) (map[string]float64, error) {
	first, err := execute(model, program, plugin, cpu, isa, 1)
	if err != nil {
		return nil, err
	}
	all, err := execute(model, program, plugin, cpu, isa, 1+inferences)
	if err != nil {
		return nil, err
	}
	counts := map[string]float64{}
	for name, n := range all {
		if n -= first[name]; n != 0 {
			counts[name] = float64(n) / inferences
		}
	}
	return counts, nil
}

func execute(model, program, plugin, cpu, isa string, times int) (map[string]int64, error) {
	dir, err := os.MkdirTemp("", "bench-arm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	log := filepath.Join(dir, "counts")
	plugin, err = filepath.Abs(plugin) // qemu takes a name without a slash for a library of the system
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("qemu-aarch64", "-cpu", cpu, "-d", "plugin", "-D", log, "-plugin", plugin, program, "run", model, strconv.Itoa(times))
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1") // no signals that depend on time
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	if got := strings.TrimSpace(string(out)); got != isa {
		return nil, fmt.Errorf("the kernels are of level %q, want %q", got, isa)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for l := range strings.Lines(string(text)) {
		number, name, _ := strings.Cut(strings.TrimSpace(l), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the plugin wrote %q: %w", l, err)
		}
		counts[name] += n
	}
	return counts, nil
}

// print writes a table: the functions above a thousandth of all, the largest
// first.
func print(w io.Writer, cpu, isa string, counts map[string]float64) {
	names, total := make([]string, 0, len(counts)), 0.0
	for name, n := range counts {
		names = append(names, name)
		total += n
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	fmt.Fprintf(w, "\n| %s (%s) | M instructions |\n|---|---|\n", cpu, isa)
	rest := total
	for _, name := range names {
		if counts[name] < total/1000 {
			break
		}
		fmt.Fprintf(w, "| `%s` | %.3f |\n", short(name), counts[name]/1e6)
		rest -= counts[name]
	}
	fmt.Fprintf(w, "| the rest | %.3f |\n| **all** | **%.2f** |\n", rest/1e6, total/1e6)
}

// short is a symbol without what all of ours begin and end with.
func short(symbol string) string {
	symbol = strings.TrimSuffix(symbol, ".abi0")
	return symbol[strings.LastIndex(symbol, "/")+1:]
}
