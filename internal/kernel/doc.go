// Package kernel is the machine language of the int8 engine: the inner loops of
// docs/arithmetic.md's equations 2 to 13, on plain slices; and of resizing images
// for it, resample.go.
//
// The portable Go file of each kernel is its specification: a faster version
// for one instruction set has to give the same bytes. Kernels never allocate,
// never keep state between calls and know nothing of graphs; whoever calls them
// owns the buffers, has proven that no accumulator overflows
// (nn.Quantised.Check) and that slices have the lengths stated.
//
// The faster versions are C++ with intrinsics, in gen/src. gen turns what clang
// makes of them into the .s files here (make kernels), so that building needs Go
// alone. Each is registered by one line, in gemm_amd64.go and its like; ISA is
// the choice between them.
//
// Activations are int8 in NHWC order. Scales and zero points are per channel.
//
// The online flow passes through here: camera -> preprocess -> engine (each
// step of its plan is one kernel) -> labels. The package imports nothing of
// ours.
package kernel
