package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listing makes a disassembly of one function; instructions are "bytes text".
func listing(name string, instructions ...string) []byte {
	var b strings.Builder
	b.WriteString("0000000000000000 <" + name + ">:\n")
	at := 0
	for _, i := range instructions {
		code, text, _ := strings.Cut(i, "|")
		b.WriteString("     " + string("0123456789abcdef"[at/16]) + string("0123456789abcdef"[at%16]) + ": " + code + " \t" + text + "\n")
		at += len(strings.ReplaceAll(code, " ", "")) / 2
	}
	return []byte(b.String())
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, arch, relocations, want string
		code                          []string
	}{
		{"relocation", "amd64", "R_X86_64_PC32 .LC0", "relocations", []string{"c3|retq"}},
		{"stack", "amd64", "", "not allowed", []string{"48 89 04 24|movq %rax, (%rsp)", "c3|retq"}},
		{"push", "amd64", "", "not allowed", []string{"53|pushq %rbx", "c3|retq"}},
		{"frame pointer", "amd64", "", "not allowed", []string{"48 89 e8|movq %rbp, %rax", "c3|retq"}},
		{"literal", "amd64", "", "not allowed", []string{"8b 05 00 00 00 00|movl (%rip), %eax", "c3|retq"}},
		{"call", "amd64", "", "not allowed", []string{"e8 00 00 00 00|callq 0x5 <f>", "c3|retq"}},
		{"vzeroupper", "amd64", "", "without vzeroupper", []string{"c5 fd ef c0|vpxor %ymm0, %ymm0, %ymm0", "c3|retq"}},
		{"tail jump", "amd64", "", "leaves the function", []string{"eb 10|jmp 0x40 <g>"}},
		{"no end", "amd64", "", "last instruction", []string{"48 89 c3|movq %rax, %rbx"}},
		{"goroutine", "arm64", "", "not allowed", []string{"aa1c03e0|mov x0, x28", "d65f03c0|ret"}},
		{"platform", "arm64", "", "not allowed", []string{"2a1203e0|mov w0, w18", "d65f03c0|ret"}},
		{"link", "arm64", "", "not allowed", []string{"aa1e03e0|mov x0, x30", "d65f03c0|ret"}},
		{"frame", "arm64", "", "not allowed", []string{"a9bf7bfd|stp x29, x30, [sp, #-0x10]!", "d65f03c0|ret"}},
		{"arm literal", "arm64", "", "not allowed", []string{"9c000040|ldr q0, 0x8 <f+0x8>", "d65f03c0|ret"}},
		{"arm call", "arm64", "", "not allowed", []string{"94000000|bl 0x0 <g>", "d65f03c0|ret"}},
		{"no functions", "arm64", "", "no functions", nil},
		{"architecture", "mips", "", "no rules", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l []byte
			if c.code != nil {
				l = listing("f", c.code...)
			}
			_, err := convert("x.cc", c.arch, []byte(c.relocations), l)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestConverts(t *testing.T) {
	got, err := convert("src/x.cc", "amd64", nil, listing("f", "c4 c1 7a 6f 04 24|vmovdqu (%r12), %xmm0", "75 f8|jne 0x0 <f>", "c3|retq", "66 90|nop"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TEXT ·f(SB), NOSPLIT, $0-8", "LONG $0x6f7ac1c4; WORD $0x2404", "// 006: jne 0x0 <f>", "\tRET\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "nop") {
		t.Errorf("padding remained in\n%s", got)
	}
	got, err = convert("src/x.cc", "arm64", nil, listing("f", "4e20d400|fadd v0.4s, v0.4s, v0.4s", "d65f03c0|ret"))
	if err != nil || !strings.Contains(string(got), "WORD $0x4e20d400") {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestUnits: every source is compiled, and for a level that is known.
func TestUnits(t *testing.T) {
	sources, err := filepath.Glob("src/*.cc")
	if err != nil || len(sources) != len(units) {
		t.Errorf("%d sources, %d units (%v)", len(sources), len(units), err)
	}
	for _, u := range units {
		if levels[u.level] == nil || targets[u.arch] == nil {
			t.Errorf("%s: no flags for %s on %s", u.source, u.level, u.arch)
		}
	}
	if _, err := exec.LookPath("clang++-19"); err == nil {
		if err := run(t.TempDir(), "clang++-19", "llvm-objdump-19"); err != nil {
			t.Error(err)
		}
	}
}
