// Package quant turns a float network into an int8 or fp16 one.
//
// The offline flow runs through it, a file a step: fold the batch norms into the
// convolutions (fold.go), calibrate on images (calibrate.go, stats.go), choose
// a scale and a zero point for every channel (ranges.go), quantise (plan.go,
// quantise.go, weights.go), correct the biases (bias.go); or round the weights
// to half (half.go). Reference runs the result with plain loops and is the
// specification of docs/arithmetic.md; SQNR measures what was lost.
//
// The package may import nn and internal/kernel.
package quant
