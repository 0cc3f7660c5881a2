//go:build cgo && gocv_videoio

package camera

import (
	"fmt"

	"gocv.io/x/gocv"
)

type opencvEncoder struct {
	vw  *gocv.VideoWriter
	mat gocv.Mat
}

// openEncoder writes with FFmpeg. OpenCV's own Motion JPEG writer would need
// no codec but rounds the rate to whole frames per second.
func openEncoder(path string, fps float64, width, height int) (encoder, error) {
	vw, err := gocv.VideoWriterFileWithAPI(path, backendFFmpeg, "MJPG", fps, width, height, true)
	if err != nil || !vw.IsOpened() {
		if vw != nil {
			_ = vw.Close()
		}
		return nil, fmt.Errorf("%w: OpenCV cannot write a %dx%d Motion JPEG at %g frames per second", ErrWrite, width, height, fps)
	}
	return &opencvEncoder{vw: vw, mat: gocv.NewMatWithSize(height, width, gocv.MatTypeCV8UC3)}, nil
}

func (e *opencvEncoder) write(bgr []byte) error {
	return writeMat(&e.mat, bgr, e.vw.Write)
}

// writeMat copies packed pixels into OpenCV's memory, which may not hold
// pointers to Go's, and hands that on.
func writeMat(mat *gocv.Mat, bgr []byte, use func(gocv.Mat) error) error {
	pix, err := mat.DataPtrUint8()
	if err != nil {
		return err
	}
	copy(pix, bgr)
	return use(*mat)
}

func (e *opencvEncoder) close() {
	_ = e.vw.Close()
	_ = e.mat.Close()
}
