package models

import _ "embed"

//go:embed mobilenet_v3_large-cifar10.int8.safetensors
var large []byte

// Default is MobileNetV3-Large, int8, trained on CIFAR-10 at 80 px: the bytes of
// a model file, not to be changed.
func Default() []byte { return large }
