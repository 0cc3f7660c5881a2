// Command gen makes the assembly of package kernel: it compiles the C++ in src
// with clang and writes each object's functions as Go assembly whose words are
// the machine code, with the disassembly as comments. Go's assembler lacks many
// of the instructions, and its programs need no C compiler this way.
//
//	go run . -o ..        in this folder; make kernels does it, with the tools
//
// A function is refused if Go could not run it: see rules in convert.go.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// units are the files of src, each with the instruction set it may use.
var units = []struct{ source, arch, level string }{
	{"gemm_avx2", "amd64", "avx2"},
	{"gemm_vnni", "amd64", "vnni"},
	{"gemm_neon", "arm64", "neon"},
	{"gemm_dotprod", "arm64", "dotprod"},
	{"gemm_i8mm", "arm64", "i8mm"},
	{"depthwise_avx2", "amd64", "avx2"},
	{"depthwise_vnni", "amd64", "vnni"},
	{"depthwise_neon", "arm64", "neon"},
	{"depthwise_dotprod", "arm64", "dotprod"},
	{"squeeze_avx2", "amd64", "avx2"},
	{"squeeze_vnni", "amd64", "vnni"},
	{"squeeze_neon", "arm64", "neon"},
	{"squeeze_dotprod", "arm64", "dotprod"},
	{"resample_avx2", "amd64", "avx2"},
	{"resample_neon", "arm64", "neon"},
	{"ycbcr_avx2", "amd64", "avx2"},
	{"ycbcr_neon", "arm64", "neon"},
}

// levels are the compiler's flags for an instruction set.
var levels = map[string][]string{
	"avx2":    {"-mavx2", "-mtune=haswell"},
	"vnni":    {"-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mprefer-vector-width=512", "-mtune=znver4"},
	"neon":    {"-march=armv8-a", "-mtune=cortex-a53"},
	"dotprod": {"-march=armv8.2-a+dotprod", "-mtune=cortex-a53"},
	"i8mm":    {"-march=armv8.2-a+dotprod+i8mm", "-mtune=cortex-a53"},
}

// targets keep to the registers that Go leaves free.
var targets = map[string][]string{
	"amd64": {"--target=x86_64-linux-gnu", "-mno-red-zone"},
	"arm64": {"--target=aarch64-linux-gnu", "-ffixed-x18", "-ffixed-x28"},
}

// common flags: nothing that needs a stack, a library, a literal pool or a fused
// multiply-add.
var common = []string{
	"-O3", "-fomit-frame-pointer", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-exceptions", "-fno-rtti",
	"-fno-jump-tables", "-ffreestanding", "-fno-math-errno", "-ffp-contract=off", "-mcmodel=small", "-Wall", "-Werror",
}

func main() {
	out := flag.String("o", "..", "folder for the assembly")
	clang := flag.String("clang", "clang++-19", "compiler")
	objdump := flag.String("objdump", "llvm-objdump-19", "disassembler")
	flag.Parse()
	if err := run(*out, *clang, *objdump); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out, clang, objdump string) error {
	tmp, err := os.MkdirTemp("", "kernels")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, u := range units {
		source, object := "src/"+u.source+".cc", filepath.Join(tmp, u.source+".o")
		args := append(append(append([]string{}, targets[u.arch]...), common...), levels[u.level]...)
		if _, err := output(clang, append(args, "-c", source, "-o", object)...); err != nil {
			return err
		}
		relocations, err := output(objdump, "-r", object)
		if err != nil {
			return err
		}
		listing, err := output(objdump, "-d", object)
		if err != nil {
			return err
		}
		text, err := convert(source, u.arch, relocations, listing)
		if err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		if err := os.WriteFile(filepath.Join(out, u.source+"_"+u.arch+".s"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}
