package kernel

import "unsafe"

// flipTile is a kernel that does Flip for an instruction set whose tensors need
// it, as registered: k bytes from a to c.
type flipTile struct {
	isa ISA
	run func(args *gemmArgs)
}

// flipBytes bounds one call: see callWork.
const flipBytes = 1 << 18

// Hold brings a tensor into the form in which a plan for isa holds it, in place:
// it is Flip with ISA.Flip.
func Hold(isa ISA, tensor []int8, w *Workspace) {
	if isa.Flip() == 0 {
		return
	}
	for i := range flipTiles {
		if t := &flipTiles[i]; t.isa == isa {
			t.hold(tensor, w)
			return
		}
	}
	Flip(tensor, tensor, isa.Flip())
}

func (t *flipTile) hold(tensor []int8, w *Workspace) {
	a := &w.gemm
	for len(tensor) > 0 {
		part := tensor[:min(flipBytes, len(tensor))]
		a.a, a.c, a.k = unsafe.Pointer(&part[0]), unsafe.Pointer(&part[0]), len(part)
		t.run(a)
		tensor = tensor[len(part):]
	}
}
