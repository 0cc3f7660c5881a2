// Package synthetic makes int8 networks with random weights.
//
// How long an inference takes does not depend on the weights, so any size and
// width can be measured without a checkpoint. The network goes through the
// offline flow like a trained one (graph -> fold batch norm -> calibrate ->
// quantise); only the weights and the one calibration image are random.
//
// It may import nn, mobilenetv3, quant, internal/modelfile and
// internal/preprocess.
package synthetic
