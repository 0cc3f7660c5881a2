// Command arm counts the instructions of an inference on ARM, on a machine that
// is none: the whole network, from its quantised input to the logits, runs on
// one thread under qemu-user, whose plugin (icount/icount.c) counts by function. The
// counts do not depend on the machine or its load, so they are the measure of
// the ARM kernels here; docs/performance.md has them beside an estimate of
// cycles by llvm-mca (mca.go).
//
//	make bench-arm
//	make mca-arm
//
// It stands at the end of the online flow (quantised input -> engine -> logits)
// and may import everything.
package main
