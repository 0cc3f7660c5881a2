// Package preprocess turns a picture into the numbers a network was trained to
// see: resize the shorter side, crop the centre, then normalise or quantise.
//
// Both flows pass through it. Online: camera frame -> preprocess -> engine ->
// labels. Offline: calibration and evaluation images -> preprocess -> quant.
//
//	image.Image -> RGB crop, uint8 HWC -> float32 HWC, normalised
//	                                   -> int8 HWC, quantised by table
//
// Everything up to the crop is integer arithmetic and equals, to the bit, what
// Pillow's Image.resize and torchvision's Resize and CenterCrop make of the same
// RGB pixels, because that is what published weights were trained with. (Pillow
// always resized horizontally first until 13.0, which may start with the
// vertical pass for images more than twice as tall as wide; this package stays
// with the order that the weights have seen.)
//
// The sums of the two passes are kernels of internal/kernel, the one package of
// this module that it imports; SEEDGE_ISA chooses them as it does the network's.
// Packed pixels of up to four bytes, as cameras give them, are resized from where
// they lie; luma and chroma become RGB first, by a kernel too, in the rows and
// columns that the crop is made of. No cgo.
package preprocess
