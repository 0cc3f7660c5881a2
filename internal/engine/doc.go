// Package engine runs int8 networks.
//
// Compile turns an nn.Quantised into a Program: it checks the network, packs
// the weights for the kernels, and places all activations in one arena by when
// they live. A Program is immutable and shared; each Session has an arena of
// its own, and Run allocates nothing. Every byte is that of
// docs/arithmetic.md, on every machine.
//
// The online flow passes through here: camera -> preprocess -> engine ->
// labels. The package imports nn and internal/kernel.
package engine
