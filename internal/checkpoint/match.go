package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// Want is one tensor that a network expects.
type Want struct {
	Name  string
	Shape []int
}

// maxReported bounds the list of an error: the wrong checkpoint altogether has
// hundreds of mismatches, and the first few tell as much.
const maxReported = 10

// Match demands that d holds exactly the float tensors of wants, each with its
// shape. A tensor for which ignore returns true may be there in addition; ignore
// may be nil, and is asked about integer tensors too (num_batches_tracked). The
// error wraps ErrMismatch and lists what is missing, what has another shape and
// what is there without being wanted, in that order.
func (d *StateDict) Match(wants []Want, ignore func(name string) bool) error {
	wanted := make(map[string]bool, len(wants))
	var missing, misshapen, extra []string
	for _, w := range wants {
		wanted[w.Name] = true
		t, ok := d.tensors[w.Name]
		switch {
		case ok && !slices.Equal(t.Shape, w.Shape):
			misshapen = append(misshapen, fmt.Sprintf("%s has shape %v, want %v", w.Name, t.Shape, w.Shape))
		case !ok && d.intTypes[w.Name] != "":
			misshapen = append(misshapen, fmt.Sprintf("%s is an integer tensor (%s), want floats of shape %v", w.Name, d.intTypes[w.Name], w.Shape))
		case !ok:
			missing = append(missing, fmt.Sprintf("%s is missing, want shape %v", w.Name, w.Shape))
		}
	}
	for _, n := range d.names {
		if !wanted[n] && (ignore == nil || !ignore(n)) {
			extra = append(extra, fmt.Sprintf("%s, of shape %v, is not part of the network", n, d.tensors[n].Shape))
		}
	}
	for _, n := range d.intNames {
		if !wanted[n] && (ignore == nil || !ignore(n)) {
			extra = append(extra, fmt.Sprintf("%s, an integer tensor (%s), is not part of the network", n, d.intTypes[n]))
		}
	}
	all := slices.Concat(missing, misshapen, extra)
	if len(all) == 0 {
		return nil
	}
	shown, rest := all, ""
	if len(all) > maxReported {
		shown, rest = all[:maxReported], fmt.Sprintf("\n  and %d more", len(all)-maxReported)
	}
	return fmt.Errorf("%w (%d missing, %d of another shape or type, %d unknown):\n  %s%s",
		ErrMismatch, len(missing), len(misshapen), len(extra), strings.Join(shown, "\n  "), rest)
}
