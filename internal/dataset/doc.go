// Package dataset lists the images of a folder, a zip or a single file, and
// maps a function over them in parallel without losing their order.
//
// Calibration, embedding and evaluation read their images through it: it
// stands at the side of both flows, before preprocessing. Nothing is ever
// extracted: an image in a zip is read into memory, bounded, and decoded.
//
// It may import internal/preprocess, for decoding.
package dataset
