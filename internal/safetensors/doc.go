// Package safetensors reads and writes the safetensors container: an eight
// byte little-endian header length, a JSON header that gives every tensor a
// dtype, a shape and a pair of data offsets, and then the data.
//
// It is the common container of the house: checkpoints arrive in it, and the
// project's own model files are written in it, so that a Python user can open
// them with three lines. It stands at both ends of the offline flow
// (checkpoint -> graph -> fold BN -> calibrate -> quantise -> model file) and
// at the start of the online one, where a model file is opened.
//
// A file is not trusted. The header is validated completely before any data is
// read, memory is taken only for bytes that are really there, and an error says
// which tensor is wrong and how. What the data mean is for the packages above.
//
// It may import internal/atomicfile.
//
// The format: https://huggingface.co/docs/safetensors/index#format
package safetensors
