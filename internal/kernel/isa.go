package kernel

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrISA is wrapped by the error about an instruction set that is unknown or
// that this CPU lacks.
var ErrISA = errors.New("instruction set not available")

// ISA is an instruction set that kernels are written for. A level includes the
// lower levels of its architecture: where it has no kernel of its own, theirs
// run.
type ISA int

// The levels, in ascending order on each architecture.
const (
	Generic ISA = iota // portable Go
	NEON               // arm64: every ARMv8
	DotProd            // arm64: SDOT, ARMv8.2
	I8MM               // arm64: SMMLA, ARMv8.6
	AVX2               // amd64: Haswell, Zen
	VNNI               // amd64: AVX-512 F, BW, DQ, VL and VNNI: Ice Lake, Zen 4
)

var isaNames = [...]string{"generic", "neon", "dotprod", "i8mm", "avx2", "vnni"}

func (i ISA) String() string { return isaNames[i] }

// Flip is what the bytes of a tensor are XORed with, compared to int8, where
// kernels packed for i read and write it: 0, or -128 where it is held as uint8,
// q + 128. That is the form which VNNI multiplies; all tensors of a plan have it,
// so that no kernel converts. Zero points and all else that a caller gives stay
// as they are in docs/arithmetic.md.
func (i ISA) Flip() int8 {
	if i == VNNI {
		return -128
	}
	return 0
}

// ISAs lists what this CPU has, Generic first and the fastest last.
func ISAs() []ISA {
	have := []ISA{Generic}
	for _, l := range levels {
		if l.available {
			have = append(have, l.isa)
		}
	}
	return have
}

// level is an instruction set above Generic and whether this CPU and its
// operating system have it.
type level struct {
	isa       ISA
	available bool
}

// ISAVariable is the environment variable that overrides the choice of
// instruction set, for measurements and for finding out whether a kernel is at
// fault.
const ISAVariable = "SEEDGE_ISA"

// DefaultISA is the instruction set that ISAVariable names, or else this CPU's
// fastest. The error wraps ErrISA.
func DefaultISA() (ISA, error) {
	isa, err := ParseISA(os.Getenv(ISAVariable))
	if err != nil {
		return 0, fmt.Errorf("environment variable %s: %w", ISAVariable, err)
	}
	return isa, nil
}

// ParseISA returns the instruction set of that name, or this CPU's fastest for
// "". The error wraps ErrISA.
func ParseISA(name string) (ISA, error) {
	have := ISAs()
	if name == "" {
		return have[len(have)-1], nil
	}
	names := make([]string, len(have))
	for i, isa := range have {
		if names[i] = isa.String(); names[i] == name {
			return isa, nil
		}
	}
	for _, known := range isaNames {
		if known == name {
			return 0, fmt.Errorf("%w: this CPU does not have %q, it has %s", ErrISA, name, strings.Join(names, ", "))
		}
	}
	return 0, fmt.Errorf("%w: %q is none, this CPU has %s", ErrISA, name, strings.Join(names, ", "))
}
