package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/image/draw"

	"github.com/seedge/seedge/internal/atomicfile"
	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
	"github.com/seedge/seedge/quant/report"
	"github.com/seedge/seedge/sdk"
)

const (
	layerImages  = 32  // most images that layers are compared on, in plain loops
	changedShown = 24  // most images shown that int8 changed its mind on
	thumbnail    = 224 // longer side of those, px
	timedRuns    = 5
)

// swap is an image that the two models see differently.
type swap struct {
	at        int // of the images measured
	was, is   int // class of the other model and of this one
	wasP, isP float64
}

func newSwap(at, was, is int, ref, got []float32) swap {
	probability := func(logits []float32, class int) float64 {
		p := make([]float32, len(logits))
		nn.Probabilities(logits, p)
		return float64(p[class])
	}
	return swap{at, was, is, probability(ref, was), probability(got, is)}
}

// verdict is what quantising did, as far as was asked for.
type verdict struct {
	page  report.Page
	lost  *evaluation      // on images kept apart; nil: there were none
	speed [2]time.Duration // float and int8, one image; only of a report
}

// bestTime is the shortest of a few runs on one image, from decoded to logits.
func bestTime(ctx context.Context, m *sdk.Model, img image.Image) (time.Duration, error) {
	var least time.Duration
	for i := range timedRuns {
		start := time.Now()
		if _, _, err := m.Outputs(ctx, img); err != nil {
			return 0, err
		}
		if d := time.Since(start); i == 0 || d < least {
			least = d
		}
	}
	return least, nil
}

// fill adds to the page what only a report shows: every layer, on images kept
// apart if there are any.
func (v *verdict) fill(ctx context.Context, float, out *modelfile.Model, layers []quant.Layer, in quant.Input, items []dataset.Item, threads int) error {
	items = dataset.Sample(items, layerImages)
	for _, it := range items {
		v.page.Measured = append(v.page.Measured, it.Name)
	}
	inputs, err := networkInputs(ctx, float.Preprocess, float.Input(), items, threads)
	if err != nil {
		return err
	}
	v.page.Graph = float.Graph
	v.page.Layers, err = report.Measure(ctx, float.Graph, out.Quantised, layers, in, inputs, threads)
	return err
}

// show adds the images that int8 changed its mind on.
func (v *verdict) show(held []dataset.Item, swaps []swap, classes *classMap, name func(class int) string) error {
	for _, s := range swaps[:min(len(swaps), changedShown)] {
		it := held[s.at]
		small, err := shrink(it)
		if err != nil {
			return err
		}
		c := report.Changed{Name: it.Name, JPEG: small, Was: name(s.was), Is: name(s.is), WasP: s.wasP, IsP: s.isP}
		if classes != nil {
			c.Want = name(classes.index[it.Class])
		}
		v.page.Changed = append(v.page.Changed, c)
	}
	v.page.Others = len(swaps) - len(v.page.Changed)
	return nil
}

func shrink(it dataset.Item) ([]byte, error) {
	img, err := it.Decode()
	if err != nil {
		return nil, err
	}
	r := img.Bounds()
	f := min(1, float64(thumbnail)/float64(max(r.Dx(), r.Dy())))
	small := image.NewRGBA(image.Rect(0, 0, max(int(f*float64(r.Dx())), 1), max(int(f*float64(r.Dy())), 1)))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, r, draw.Src, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("%s: %w", it.Path, err)
	}
	return b.Bytes(), nil
}

// rows are the summary, also of the table that quantise ends with.
func (v *verdict) rows() []report.Row {
	rows := []report.Row{{What: "size, bytes", Float: thousands(v.page.FloatBytes), Int8: thousands(v.page.Int8Bytes)}}
	if v.lost == nil {
		return rows
	}
	c := v.lost.Against
	add := func(what, float, int8 string) { rows = append(rows, report.Row{What: what, Float: float, Int8: int8}) }
	if v.lost.Top1 != nil {
		add("top-1 (95 % interval)", c.Top1.String(), v.lost.Top1.String())
		if v.lost.Top5.Correct < v.lost.Images || c.Top5.Correct < v.lost.Images { // not so few classes that all are among five
			add("top-5 (95 % interval)", c.Top5.String(), v.lost.Top5.String())
		}
		add("difference in top-1", "", c.McNemar.String())
	}
	add("same first class (95 % interval)", "", c.Agreement.String())
	if c.Embedded {
		add("SQNR of features", "", c.Features.String())
	}
	add("SQNR of logits", "", c.Logits.String())
	if v.speed[0] > 0 {
		ms := func(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }
		add("one image, here (float: plain loops)", ms(v.speed[0]), ms(v.speed[1]))
	}
	return rows
}

func (s score) String() string {
	return fmt.Sprintf("%.2f %% (%.2f to %.2f)", s.Percent, s.Low, s.High)
}

// plain is what was found in the images without the words that begin a line on
// standard error.
func plain(notes []string) []string {
	var list []string
	for _, n := range notes {
		_, text, _ := strings.Cut(n, ": ")
		list = append(list, strings.ToUpper(text[:1])+text[1:]+".")
	}
	return list
}

// conclude prints the table that quantise ends with and writes the report, if one
// is wanted.
func (a *app) conclude(v *verdict, source, output, path string) error {
	for p, size := range map[string]*int64{source: &v.page.FloatBytes, output: &v.page.Int8Bytes} {
		st, err := os.Stat(p)
		if err != nil {
			return err
		}
		*size = st.Size()
	}
	v.page.Rows = v.rows()
	if path != "" {
		if err := writeReport(path, &v.page); err != nil {
			return err
		}
	}
	if a.json {
		return nil
	}
	w := a.table()
	fmt.Fprintln(w, "\n\tfloat\tint8")
	for _, r := range v.page.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.What, r.Float, r.Int8)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if path == "" {
		return nil
	}
	a.printf("\nweakest layers\n")
	w = a.table()
	for _, l := range v.page.Layers.Weakest(3) {
		fmt.Fprintf(w, "%s\t%.1f dB\t%.2f %% clipped\n", printable(l.Name), l.SQNR, 100*l.Clipped)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range v.page.Advice() {
		a.printf("- %s\n", printable(s))
	}
	a.printf("report: %s\n", path)
	return nil
}

func writeReport(path string, p *report.Page) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := p.Write(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

// checkReport refuses a report that would take another file's place.
func checkReport(path, output string, inputs ...string) error {
	if path == "" {
		return nil
	}
	one, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	two, err := filepath.Abs(output)
	if err != nil {
		return err
	}
	if one == two {
		return fmt.Errorf("--report %s is also the output; choose another name", path)
	}
	return checkOutput(path, inputs...)
}
