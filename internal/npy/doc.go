// Package npy writes NumPy's .npy files: version 1.0, little-endian float32, C
// order, the shape N x C.
//
// Embeddings leave the house through it, at the end of the online flow. It
// imports internal/atomicfile.
//
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
package npy
