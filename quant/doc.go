// Package quant turns a float network into an int8 or fp16 one.
//
// The offline flow runs through it, a file a step:
//
//	fold.go           batch norms go into the convolutions
//	plan.go           nodes are grouped into the int8 network's steps
//	calibrate.go      the float path: statistics (stats.go) and samples (samples.go)
//	sensitivity.go    what an error in a tensor does to the outputs
//	crossvalidate.go  ranges, and from them scales and zero points (ranges.go)
//	quantise.go       the int8 network, step by step; path.go takes the images along
//	refine.go         each layer's weights: moments.go, leastsquares.go, compensate.go
//	weights.go        rounding, with accumulators that fit an int32
//	bias.go           each layer's means
//
// half.go rounds weights to half precision instead. Reference runs the result
// with plain loops and is the specification of docs/arithmetic.md; SQNR measures
// what was lost. Package quant/report shows it layer by layer.
//
// The package may import nn and internal/kernel; matrices are gonum's.
package quant
