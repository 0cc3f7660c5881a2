//go:build !linux

package camera

import "fmt"

// List returns the V4L2 cameras of this machine, which exist on Linux only;
// elsewhere the error wraps ErrBuild.
func List() ([]Device, error) {
	return nil, fmt.Errorf("camera: %w: cameras are listed on Linux only", ErrBuild)
}
