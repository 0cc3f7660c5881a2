//go:build !(cgo && gocv_videoio)

package camera

import "fmt"

const howToBuild = "cameras need OpenCV: install libopencv-videoio-dev and use `make build`, or install libopencv-dev and build with CGO_ENABLED=1 and -tags gocv_specific_modules,gocv_videoio"

func openCapture(src source, _ *options) (capture, error) {
	return nil, fmt.Errorf("camera: %s: %w: %s", src.name, ErrBuild, howToBuild)
}

func openEncoder(string, float64, int, int) (encoder, error) {
	return nil, fmt.Errorf("%w: %s", ErrBuild, howToBuild)
}
