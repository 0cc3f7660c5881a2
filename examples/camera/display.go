package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// screen is a window with the frames and their labels. It needs a build with
// OpenCV's highgui (tag gocv_highgui).
type screen struct{ window *camera.Window }

func newScreen() (*screen, error) {
	w, err := camera.NewWindow("Seedge")
	if err != nil {
		return nil, err
	}
	return &screen{w}, nil
}

// Observe implements watch.Sink. A window that the user has closed stays closed.
func (s *screen) Observe(o *watch.Observation, img image.Image) {
	text := fmt.Sprintf("%s  %s %.0f %%", o.Camera, o.Label, 100*o.Probability)
	_, _ = s.window.Show(caption(img, text), time.Millisecond)
}

func (s *screen) Close() error { return s.window.Close() }

// caption copies a frame and writes text on a dark bar at its top.
func caption(frame image.Image, text string) *image.RGBA {
	b := frame.Bounds()
	img := image.NewRGBA(b)
	draw.Draw(img, b, frame, b.Min, draw.Src)
	bar := image.Rect(b.Min.X, b.Min.Y, min(b.Min.X+7*len(text)+8, b.Max.X), min(b.Min.Y+18, b.Max.Y))
	draw.Draw(img, bar, image.NewUniform(color.RGBA{A: 160}), image.Point{}, draw.Over)
	d := font.Drawer{Dst: img, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(b.Min.X+4, b.Min.Y+13)}
	d.DrawString(text)
	return img
}
