package engine

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// String lists the plan: for each step its node, kernel, the kernel's
// instruction set and tile, shapes, place in the
// arena, bytes of packed weights, and multiply-accumulates.
func (p *Program) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "step\tnode\tkernel\tisa\tinput\toutput\tarena\tweight bytes\tMACs\t")
	fmt.Fprintf(w, "\tinput\t\t%s\t\t%s\t%s\t\t\t\n", p.isa, p.shapes[0], p.spans[0])
	var bytes int
	var macs int64
	for i, s := range p.steps {
		from := make([]string, len(s.inputs))
		for j, id := range s.inputs {
			from[j] = p.shapes[id].String()
		}
		n := s.op.weightBytes()
		bytes += n
		macs += s.cost.MACs
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t\n", i, s.name, s.op.kernel(), s.op.isa(), strings.Join(from, " "),
			p.shapes[s.node], p.spans[s.node], n, s.cost.MACs)
	}
	fmt.Fprintf(w, "\ttotal\t\t\t\t\t%d\t%d\t%d\t\n", p.arena, bytes, macs)
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// String is the place in the arena, or "float32" for logits, which have none.
func (s span) String() string {
	if s.size == 0 {
		return "float32"
	}
	return fmt.Sprintf("%d-%d", s.offset, s.offset+s.size)
}
