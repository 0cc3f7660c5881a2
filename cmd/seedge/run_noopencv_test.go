//go:build !(cgo && gocv_videoio)

package main

import "testing"

func TestRunSaysHowToBuild(t *testing.T) {
	for _, source := range []string{"0", "/dev/video0", "rtsp://camera.local/stream"} {
		fails(t, t.TempDir(), []string{"OpenCV", "make build"}, "run", "default", source)
	}
	fails(t, t.TempDir(), []string{"clip.avi", "not found"}, "run", "default", "clip.avi")
}
