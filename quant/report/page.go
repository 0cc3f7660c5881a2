package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"

	"github.com/seedge/seedge/nn"
)

// Page is what a report shows; Write draws it.
type Page struct {
	Model, Preset         string
	Calibrated            int      // images
	Measured              []string // names of the images that Layers is of, at most a few dozen
	Apart                 int      // images kept apart, that the outputs were compared on; 0: none
	FloatBytes, Int8Bytes int64
	// Rows are the figures of the whole network, float beside int8.
	Rows    []Row
	Notes   []string  // what was found in the images
	Graph   *nn.Graph // the float network, batch norms not folded
	Layers  *Measurement
	Changed []Changed
	Others  int // images that int8 changed its mind on and that are not in Changed
}

// Row is one line of the summary.
type Row struct{ What, Float, Int8 string }

// Changed is an image that the two networks see differently.
type Changed struct {
	Name      string
	JPEG      []byte  // a small copy of it
	Want      string  // its label; empty where there is none
	Was, Is   string  // classes of the float network and of the int8 one
	WasP, IsP float64 // the probability that each gives its class
}

// URI is the small copy as part of the page.
func (c Changed) URI() template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(c.JPEG))
}

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"db": func(v float64) string {
		switch {
		case math.IsInf(v, 1):
			return "exact"
		case math.IsNaN(v) || math.IsInf(v, -1):
			return "–"
		}
		return fmt.Sprintf("%.1f", v)
	},
	"num":     func(v any) string { return fmt.Sprintf("%.3g", v) },
	"percent": func(v float64) string { return fmt.Sprintf("%.2f", 100*v) },
	"inc":     func(i int) int { return i + 1 },
}).Parse(source))

// worst is how many layers have their histograms shown.
const worst = 6

type histogram struct {
	Layer
	SVG template.HTML
}

// Write writes the page: one HTML file that loads nothing and runs no script.
func (p *Page) Write(w io.Writer) error {
	data := struct {
		*Page
		Advice []string
		Along  template.HTML
		Worst  []histogram
	}{Page: p, Advice: p.Advice()}
	var err error
	if data.Along, err = alongPlot(p.Layers.Layers); err != nil {
		return err
	}
	for _, l := range p.Layers.Weakest(worst) {
		h := histogram{Layer: l}
		if h.SVG, err = histogramPlot(l); err != nil {
			return err
		}
		data.Worst = append(data.Worst, h)
	}
	return page.Execute(w, data)
}

// Advice says in words what is wrong, and what to do about it.
func (p *Page) Advice() []string {
	return advise(p.Graph, p.Layers, p.Measured, p.Apart > 0)
}

// Weakest are the n int8 layers that lose most, the worst first.
func (m *Measurement) Weakest(n int) []Layer {
	var list []Layer
	for _, l := range m.Layers {
		if l.High > l.Low && !math.IsInf(l.SQNR, 0) && !math.IsNaN(l.SQNR) {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, bySQNR)
	return list[:min(n, len(list))]
}
