// Package kernel is the machine language of the int8 engine: the inner loops of
// docs/arithmetic.md's equations 2 to 13, on plain slices.
//
// The portable Go file of each kernel is its specification: a faster version
// for one instruction set has to give the same bytes. Kernels never allocate,
// never keep state between calls and know nothing of graphs; whoever calls them
// owns the buffers, has proven that no accumulator overflows
// (nn.Quantised.Check) and that slices have the lengths stated.
//
// Activations are int8 in NHWC order. Scales and zero points are per channel.
//
// The online flow passes through here: camera -> preprocess -> engine (each
// step of its plan is one kernel) -> labels. The package imports nothing of
// ours.
package kernel
