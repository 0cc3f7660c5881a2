//go:build cgo && gocv_videoio && !linux

package camera

import "time"

// captured: only V4L2 tells when a frame was captured.
func captured(float64) time.Time { return time.Time{} }
