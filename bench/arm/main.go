package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

const usage = `usage:
  arm make MODEL            write MobileNetV3-Large for 224 px and 1000 classes, weights random, int8
  arm run MODEL TIMES       the program that is counted: TIMES inferences on one thread
  arm count MODEL           count for every CPU; -program is this program built for linux/arm64,
                            -cpu counts for one of them, -plugin is icount/icount.c built for this machine
  arm mca                   estimate the cycles of the kernels' inner loops; in the repository's root
`

func main() {
	program := flag.String("program", "build/bench-arm", "this program, built for linux/arm64")
	plugin := flag.String("plugin", "build/icount.so", "icount/icount.c, built for this machine")
	cpu := flag.String("cpu", "", "count for this CPU only, as qemu names it")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if err := command(flag.Args(), *program, *plugin, *cpu); err != nil {
		fmt.Fprintln(os.Stderr, "arm:", err)
		os.Exit(1)
	}
}

func command(args []string, program, plugin, cpu string) error {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch {
	case verb == "mca" && len(args) == 1:
		return mcaAll(filepath.Join("internal", "kernel"))
	case verb == "make" && len(args) == 2:
		return makeModel(args[1])
	case verb == "run" && len(args) == 3:
		times, err := strconv.Atoi(args[2])
		if err != nil || times < 1 {
			return fmt.Errorf("run: %q inferences, want a number from 1 up", args[2])
		}
		return run(args[1], times)
	case verb == "count" && len(args) == 2:
		return countAll(args[1], program, plugin, cpu)
	}
	flag.Usage()
	return fmt.Errorf("arguments %q are none of these", args)
}
