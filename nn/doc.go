// Package nn describes a network and runs it in float32.
//
// A Graph is a flat list of typed nodes in topological order; shape inference,
// parameter counts and multiply-accumulate counts follow from it. Float runs a
// Graph with plain loops: it is the reference that quantised and fast paths are
// measured against. Quantised is the int8 counterpart of a Graph: what quant
// makes, modelfile stores and the engine runs; its arithmetic is written down
// in docs/arithmetic.md.
//
// Both flows pass through here: offline, checkpoint -> Graph -> Quantised;
// online, the engine reads Quantised. The package imports nothing else of ours.
package nn
