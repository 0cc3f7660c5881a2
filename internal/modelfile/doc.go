// Package modelfile is the model on disk: one safetensors file whose metadata
// hold the format's version, the graph, the preprocessing, the labels, where
// the model comes from, and a checksum over all of it. docs/modelfile.md
// describes the format and what its version number promises.
//
// It is the last step of the offline flow (checkpoint -> graph -> fold BN ->
// calibrate -> quantise -> model file) and the first of the online one, where
// the sdk opens a file and hands its network to the engine.
//
// A file is not trusted: everything is validated before use, memory is taken
// only for bytes that are really there, and an error says what is wrong, where,
// and what to do.
//
// It may import nn, internal/safetensors and internal/preprocess.
package modelfile
