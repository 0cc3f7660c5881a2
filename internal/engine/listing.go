package engine

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode"
)

// String lists the plan in the order in which it runs: for each step the nodes
// that it computes, the kernels, the first kernel's instruction set and tile,
// shapes of inputs and output, where in the arena the output lies, bytes of
// activations read and written, bytes of packed weights, and multiply-accumulates.
// Steps run one after the other, and the parts of one on all threads at once.
func (p *Program) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "step\tnodes\tkernel\tisa\tinput\toutput\tarena\tbytes in\tout\tweights\tMACs")
	fmt.Fprintf(w, "\tinput\t\t%s\t\t%s\t%s\n", p.isa, p.shapes[0], p.spans[0])
	for i, s := range p.Steps() {
		from := make([]string, len(s.Inputs))
		for j, shape := range s.Inputs {
			from[j] = shape.String()
		}
		place := span{}
		if node := p.steps[i].node; node != none {
			place = p.spans[node]
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", i, printable(s.Name), s.Kernel, s.ISA, strings.Join(from, " "),
			s.Output, place, s.InputBytes, s.OutputBytes, s.WeightBytes, s.MACs)
	}
	fmt.Fprintf(w, "\ttotal\t\t\t\t\t%d\t\t\t%d\t%d\n", p.arena, p.WeightBytes(), p.MACs())
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// printable keeps names from a model file from steering a terminal or the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// String is the place in the arena; logits, sums and gates have none.
func (s span) String() string {
	if s.size == 0 {
		return "-"
	}
	return fmt.Sprintf("%d-%d", s.offset, s.offset+s.size)
}
