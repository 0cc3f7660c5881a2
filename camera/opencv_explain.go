//go:build cgo && gocv_videoio

package camera

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// explain says, as well as can be found out, why OpenCV could not open a
// source; OpenCV itself does not tell.
func explain(src source) error {
	switch src.kind {
	case kindDevice:
		return explainDevice(src)
	case kindFile:
		return fmt.Errorf("camera: %s: %w: not a video that FFmpeg can decode", src.name, ErrOpen)
	case kindCSI:
		return fmt.Errorf("camera: %s: %w: no such camera, or in use by another program, or it does not offer the size and rate asked for", src.name, ErrOpen)
	default:
		return fmt.Errorf("camera: %s: %w: no answer, refused, or not a video stream that FFmpeg can decode", src.name, ErrOpen)
	}
}

func explainDevice(src source) error {
	f, err := os.OpenFile(src.target, os.O_RDWR|syscall.O_NONBLOCK, 0)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("camera: %s: %w: %w; %s", src.name, ErrNotFound, fs.ErrNotExist, presentDevices())
	case os.IsPermission(err):
		return fmt.Errorf("camera: %s: %w: %w; is this user in the group video?", src.name, ErrOpen, err)
	case err != nil:
		return fmt.Errorf("camera: %s: %w: %w", src.name, ErrOpen, err)
	}
	_ = f.Close()
	return fmt.Errorf("camera: %s: %w: in use by another program, or not a capture device that OpenCV understands", src.name, ErrOpen)
}

func presentDevices() string {
	found, _ := filepath.Glob("/dev/video*")
	if len(found) == 0 {
		return "there are no video devices"
	}
	return "there are " + strings.Join(found, ", ")
}
