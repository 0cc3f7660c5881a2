//go:build !(cgo && gocv_videoio && gocv_highgui)

package camera

import "fmt"

func openPane(string) (pane, error) {
	return nil, fmt.Errorf("%w: windows need OpenCV's window module: install libopencv-dev and add gocv_highgui to the build tags", ErrBuild)
}
