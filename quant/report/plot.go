package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The plots' colours stand for those of the page, which follow the reader's choice
// of light or dark.
var (
	ink   = color.RGBA{1, 2, 3, 255}
	faint = color.RGBA{1, 2, 4, 255}
	first = color.RGBA{1, 2, 5, 255}
	other = color.RGBA{1, 2, 6, 255}

	themed = strings.NewReplacer("#010203", "var(--ink)", "#010204", "var(--faint)", "#010205", "var(--first)", "#010206", "var(--other)")
)

func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.Tick.LineStyle.Color = ink, ink
		a.Label.TextStyle.Color, a.Tick.Label.Color = ink, ink
		for _, f := range []*font.Font{&a.Label.TextStyle.Font, &a.Tick.Label.Font} {
			f.Typeface, f.Variant, f.Size = "Liberation", "Sans", 9
		}
	}
	return p
}

// svg draws a plot to be put into a page: without the heading and the names of the
// XML dialect, which HTML does not need.
func svg(p *plot.Plot, w, h vg.Length) (template.HTML, error) {
	c := vgsvg.New(w, h)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", fmt.Errorf("report: plot: %w", err)
	}
	s := b.String()
	at := strings.Index(s, "<svg")
	end := strings.Index(s[max(at, 0):], ">")
	if at < 0 || end < 0 {
		return "", fmt.Errorf("report: the plot is no SVG")
	}
	body := s[at+end+1:]
	head := fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img">`, w.Points(), h.Points())
	return template.HTML(head + themed.Replace(body)), nil
}

// alongPlot is the layers' SQNR in the network's order.
func alongPlot(layers []Layer) (template.HTML, error) {
	p := newPlot("layer", "SQNR, dB")
	var at plotter.XYs
	for i, l := range layers {
		if !math.IsInf(l.SQNR, 0) && !math.IsNaN(l.SQNR) {
			at = append(at, plotter.XY{X: float64(i + 1), Y: l.SQNR})
		}
	}
	if len(at) == 0 {
		return "", nil
	}
	line, points, err := plotter.NewLinePoints(at)
	if err != nil {
		return "", fmt.Errorf("report: plot: %w", err)
	}
	line.Color, points.Color, points.Radius, points.Shape = first, first, 2, draw.CircleGlyph{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, nil
	p.Add(grid, line, points)
	p.Y.Min = min(p.Y.Min, 0)
	return svg(p, 640, 220)
}

// histogramPlot draws both distributions on a logarithmic scale, where tails show.
func histogramPlot(l Layer) (template.HTML, error) {
	p := newPlot("value", "log10 of count")
	curve := func(n [Bins]int64, c color.Color, dashed bool) error {
		var at plotter.XYs
		width := (l.High - l.Low) / Bins
		for i, v := range n {
			y := math.Log10(float64(v) + 1)
			at = append(at, plotter.XY{X: l.Low + float64(i)*width, Y: y}, plotter.XY{X: l.Low + float64(i+1)*width, Y: y})
		}
		line, err := plotter.NewLine(at)
		if err != nil {
			return fmt.Errorf("report: plot: %w", err)
		}
		line.Color = c
		if dashed {
			line.Dashes = []vg.Length{3, 2}
		}
		p.Add(line)
		return nil
	}
	if err := curve(l.Float, first, false); err != nil {
		return "", err
	}
	if err := curve(l.Int8, other, true); err != nil {
		return "", err
	}
	return svg(p, 320, 170)
}
