// Package checkpoint opens trained weights: bytes in, named float tensors out.
//
// It is the first room of the offline flow (checkpoint -> graph -> fold BN ->
// calibrate -> quantise -> model file). [Load] tells the formats apart by
// content, not by file name: PyTorch's .pth and .pt, in today's zip form and in
// the older stream form, and safetensors. What comes out is a [StateDict],
// whose tensors keep the checkpoint's names, shapes and order of dimensions
// (PyTorch: out, in, height, width for a convolution); [StateDict.Match] holds
// it strictly to what a network expects.
//
// A .pth file is a Python pickle, a small program. None of it is executed here:
// the stream is first checked opcode by opcode, only the handful of classes
// that a state dict is made of are known, and any other is refused by name.
// Sizes in a file are never believed; memory is taken only in proportion to the
// bytes that are there.
//
// Of ours it imports internal/safetensors alone.
package checkpoint
