// Package engine runs int8 networks.
//
// Compile turns an nn.Quantised into a Program: it checks the network, finds what
// can be computed together (fuse.go), packs the weights for the kernels, and
// places all activations in one arena by when they live. Its steps run one after
// the other; a step is a node, several at once, or a part of one, and
// Program.String lists them.
//
// A Program is immutable and shared. A Pool is the threads that its sessions
// share (pool.go): a step is cut into chunks of rows, pixels, channels or
// columns, and whoever has a processor computes them (job.go). Each Session has
// an arena of its own, and Run allocates nothing. Every byte is that of
// docs/arithmetic.md, on every machine and for any number of threads.
//
// The online flow passes through here: camera -> preprocess -> engine ->
// labels. The package imports nn and internal/kernel.
package engine
