package main

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/seedge/seedge/internal/atomicfile"
)

// The sheet's cells in pixels: a picture with its label below.
const (
	cellW, cellH = 200, 170
	labelH       = 20
	columns      = 4
)

// sheet is a contact sheet.
type sheet struct{ cells []*image.RGBA }

// add copies a picture, scaled to fit into a cell.
func (s *sheet) add(img image.Image, text string) {
	cell := image.NewRGBA(image.Rect(0, 0, cellW, cellH))
	draw.Draw(cell, cell.Bounds(), image.NewUniform(color.Gray{32}), image.Point{}, draw.Src)
	from := img.Bounds()
	w, h := cellW-8, cellH-labelH-8
	if from.Dx()*h > from.Dy()*w {
		h = from.Dy() * w / from.Dx()
	} else {
		w = from.Dx() * h / from.Dy()
	}
	corner := image.Pt((cellW-w)/2, (cellH-labelH-h)/2)
	xdraw.ApproxBiLinear.Scale(cell, image.Rectangle{Min: corner, Max: corner.Add(image.Pt(w, h))}, img, from, draw.Src, nil)
	d := font.Drawer{Dst: cell, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(6, cellH-7)}
	d.DrawString(text)
	s.cells = append(s.cells, cell)
}

// write draws the sheet to a PNG file, which appears whole or not at all.
func (s *sheet) write(path string) error {
	rows := (len(s.cells) + columns - 1) / columns
	all := image.NewRGBA(image.Rect(0, 0, columns*cellW, rows*cellH))
	draw.Draw(all, all.Bounds(), image.NewUniform(color.Gray{32}), image.Point{}, draw.Src)
	for i, cell := range s.cells {
		at := image.Pt(i%columns*cellW, i/columns*cellH)
		draw.Draw(all, cell.Bounds().Add(at), cell, image.Point{}, draw.Src)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := png.Encode(f, all); err != nil {
		return err
	}
	return f.Commit()
}
