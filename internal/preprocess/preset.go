package preprocess

import (
	"fmt"
	"math"
	"strings"
)

var (
	imagenetMean = [3]float32{0.485, 0.456, 0.406}
	imagenetStd  = [3]float32{0.229, 0.224, 0.225}
	half         = [3]float32{0.5, 0.5, 0.5}
)

// presets, one line each. resize maps the longer side of the network's input to
// the shorter side of the resized image.
var presets = []struct {
	name          string
	resize        func(input int) int
	interpolation string
	mean, std     [3]float32
}{
	{"torchvision", scaled(256.0 / 224), Bilinear, imagenetMean, imagenetStd},
	{"torchvision-v2", scaled(232.0 / 224), Bilinear, imagenetMean, imagenetStd},
	{"timm", func(n int) int { return int(math.Floor(float64(n) / 0.875)) }, Bicubic, imagenetMean, imagenetStd},
	{"whole", scaled(1), Bilinear, imagenetMean, imagenetStd},
	{"half", scaled(1), Bilinear, half, half},
}

func scaled(ratio float64) func(int) int {
	return func(n int) int { return int(math.RoundToEven(float64(n) * ratio)) }
}

// Preset returns the preprocessing known by name for a network whose input is
// width x height pixels:
//
//   - torchvision: shorter side to 256 for an input of 224 (in proportion for
//     others), bilinear, ImageNet's mean and standard deviation; the first
//     weights (IMAGENET1K_V1) of torchvision's models
//   - torchvision-v2: the same with 232 for 224; IMAGENET1K_V2
//   - timm: shorter side to floor(input / 0.875), bicubic, ImageNet's mean and
//     standard deviation
//   - whole: shorter side to the input itself, so that a square picture is seen
//     whole; bilinear, ImageNet's mean and standard deviation; the default model
//   - half: as whole with mean and standard deviation 0.5, which maps pixels to
//     [-1, 1]; Keras and TensorFlow
//
// If width and height differ, the longer one counts, so that the crop never
// reaches beyond the picture. An unknown name or a bad size is an [ErrSpec].
func Preset(name string, width, height int) (Spec, error) {
	for _, p := range presets {
		if p.name != name {
			continue
		}
		s := Spec{Width: width, Height: height, Interpolation: p.interpolation, Mean: p.mean, Std: p.std}
		if err := s.Validate(); err != nil {
			return Spec{}, fmt.Errorf("preset %s: %w", name, err)
		}
		s.Resize = p.resize(max(width, height))
		if err := s.Validate(); err != nil {
			return Spec{}, fmt.Errorf("preset %s: %w", name, err)
		}
		return s, nil
	}
	return Spec{}, fmt.Errorf("%w: no preset is named %q; want one of %s", ErrSpec, name, strings.Join(Presets(), ", "))
}

// Presets lists the names that [Preset] knows.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}
