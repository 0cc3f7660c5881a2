package main

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/seedge/seedge/camera"
)

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

// screen is a window.
type screen struct{ window *camera.Window }

func newScreen() (display, error) {
	w, err := camera.NewWindow("Seedge")
	if err != nil {
		return nil, err
	}
	return screen{w}, nil
}

func (s screen) frame(img *image.RGBA) error {
	_, err := s.window.Show(img, time.Millisecond)
	return err
}

func (s screen) finish() error { return s.window.Close() }

// video writes a file, which gets its name only when it is whole. The first
// frame decides the size.
type video struct {
	path   string
	fps    float64
	writer *camera.Writer
}

func (v *video) frame(img *image.RGBA) (err error) {
	if v.writer == nil {
		if !(v.fps > 0) {
			v.fps = 25 // live sources do not always say
		}
		size := img.Bounds().Size()
		if v.writer, err = camera.NewWriter(v.path, v.fps, size.X, size.Y); err != nil {
			return err
		}
	}
	return v.writer.Write(img)
}

func (v *video) finish() error {
	if v.writer == nil {
		return errors.New("no frame to write")
	}
	return v.writer.Close()
}
