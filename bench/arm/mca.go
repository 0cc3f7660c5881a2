package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// models are LLVM's schedules for the cores that each level's kernels are for. LLVM gives the A72 that of the A57; the
// A76 is the Neoverse N1.
var models = map[string][]struct{ core, cpu string }{
	"neon":    {{"A53", "cortex-a53"}, {"A72", "cortex-a72"}, {"A76", "neoverse-n1"}},
	"dotprod": {{"A76", "neoverse-n1"}},
	"i8mm":    {{"N2", "neoverse-n2"}},
}

// mcaAll estimates the inner loop of every kernel of the generated assembly in
// folder.
func mcaAll(folder string) error {
	fmt.Println("| kernel | instructions | multiply-accumulates | cycles (multiply-accumulates per cycle) |\n|---|---|---|---|")
	for _, level := range []string{"neon", "dotprod", "i8mm"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_"+level+"_arm64.s"))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s has no *_%s_arm64.s; run this in the repository's root", folder, level)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for _, k := range kernels(string(text)) {
				l, found := k.innerLoop()
				if !found {
					continue // no products, or no loop
				}
				cells := make([]string, 0, len(models[level]))
				for _, m := range models[level] {
					cycles, err := estimate(l, m.cpu)
					if err != nil {
						return fmt.Errorf("%s: %w", k.name, err)
					}
					cells = append(cells, fmt.Sprintf("%s %.1f (%.1f)", m.core, cycles, float64(macs(l))/cycles))
				}
				fmt.Printf("| `%s` | %d | %d | %s |\n", k.name, len(l), macs(l), strings.Join(cells, ", "))
			}
		}
	}
	return nil
}

// instruction is a line of a kernel: its offset and the disassembly.
type instruction struct {
	at   uint64
	text string
}

type listing struct {
	name string
	code []instruction
}

var (
	textLine  = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	codeLine  = regexp.MustCompile(`// ([0-9a-f]+): (.*)$`)
	jump      = regexp.MustCompile(`^(b|b\.\w+|cbn?z|tbn?z)\s`)
	jumpTo    = regexp.MustCompile(`0x[0-9a-f]+ <\w+(?:\+0x([0-9a-f]+))?>`)
	blockTime = regexp.MustCompile(`(?m)^Total Cycles:\s+(\d+)$`)
)

// kernels reads the disassembly in the comments of generated assembly.
func kernels(text string) []listing {
	var list []listing
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		if m := textLine.FindStringSubmatch(l); m != nil {
			list = append(list, listing{name: m[1]})
			continue
		}
		if m := codeLine.FindStringSubmatch(l); m != nil && len(list) > 0 {
			at, err := strconv.ParseUint(m[1], 16, 64)
			if err != nil {
				continue // a comment that is no instruction
			}
			k := &list[len(list)-1]
			k.code = append(k.code, instruction{at, m[2]})
		}
	}
	return list
}

// innerLoop is the loop with the most multiplications among those that have no
// other inside, and among equals the one with the fewest instructions: that of
// the identity.
func (k *listing) innerLoop() ([]instruction, bool) {
	var best []instruction
	for end, i := range k.code {
		start := k.target(i)
		if start < 0 || start > end {
			continue
		}
		inner := k.code[start : end+1]
		nested := false
		for n, j := range inner[:len(inner)-1] {
			to := k.target(j)
			nested = nested || to >= start && to <= start+n
		}
		n, most := macs(inner), macs(best)
		if !nested && (n > most || n == most && n > 0 && len(inner) < len(best)) {
			best = inner
		}
	}
	return best, best != nil
}

// target is the index of the instruction that i jumps to, -1 if there is none.
func (k *listing) target(i instruction) int {
	m := jumpTo.FindStringSubmatch(i.text)
	if !jump.MatchString(i.text) || m == nil {
		return -1
	}
	to := uint64(0)
	if m[1] != "" {
		to, _ = strconv.ParseUint(m[1], 16, 64) // hexadecimal by the pattern
	}
	for n := range k.code {
		if k.code[n].at == to {
			return n
		}
	}
	return -1
}

// macs is the multiply-accumulates of code, those with padding included.
func macs(code []instruction) int {
	each := map[string]int{"sdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
	n := 0
	for _, i := range code {
		name, operands, _ := strings.Cut(i.text, " ")
		m := each[name]
		if strings.Contains(operands, ".4s") && m == 8 {
			m = 4 // of 16-bit factors
		}
		n += m
	}
	return n
}

const iterations = 100

// estimate is llvm-mca's cycles for one iteration of a loop.
func estimate(loop []instruction, cpu string) (float64, error) {
	var b bytes.Buffer
	b.WriteString("loop:\n")
	for _, i := range loop {
		fmt.Fprintln(&b, jumpTo.ReplaceAllString(i.text, "loop"))
	}
	cmd := exec.Command("llvm-mca-19", "-mtriple=aarch64", "-mcpu="+cpu, "-mattr=+dotprod,+i8mm", "-iterations="+strconv.Itoa(iterations))
	cmd.Stdin, cmd.Stderr = &b, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", cmd, err)
	}
	m := blockTime.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s printed no cycles", cmd)
	}
	n, err := strconv.Atoi(string(m[1]))
	return float64(n) / iterations, err
}
