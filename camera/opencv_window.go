//go:build cgo && gocv_videoio && gocv_highgui

package camera

import (
	"time"

	"gocv.io/x/gocv"
)

type opencvPane struct {
	window *gocv.Window
	mat    gocv.Mat
	shown  bool
}

func openPane(title string) (pane, error) {
	return &opencvPane{window: gocv.NewWindow(title), mat: gocv.NewMat()}, nil
}

func (p *opencvPane) show(bgr []byte, width, height int) error {
	if p.mat.Cols() != width || p.mat.Rows() != height {
		_ = p.mat.Close()
		p.mat = gocv.NewMatWithSize(height, width, gocv.MatTypeCV8UC3)
	}
	p.shown = true
	return writeMat(&p.mat, bgr, p.window.IMShow)
}

func (p *opencvPane) key(d time.Duration) int { return p.window.WaitKey(int(d.Milliseconds())) }

func (p *opencvPane) open() bool {
	// Before the first picture OpenCV calls no window visible.
	return !p.shown || p.window.GetWindowProperty(gocv.WindowPropertyVisible) > 0
}

func (p *opencvPane) close() {
	_ = p.window.Close()
	_ = p.mat.Close()
}
