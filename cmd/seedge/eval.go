package main

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"maps"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/quant"
	"github.com/seedge/seedge/sdk"
)

// evaluation is what eval prints.
type evaluation struct {
	Model   string      `json:"model"`
	Images  int         `json:"images"`
	Of      int         `json:"of"`                // images there are
	Matched string      `json:"classes,omitempty"` // how folders were matched to classes
	Top1    *score      `json:"top1,omitempty"`
	Top5    *score      `json:"top5,omitempty"`
	Against *comparison `json:"against,omitempty"`
	Seconds float64     `json:"seconds"`
}

// comparison is of a model with a more precise one.
type comparison struct {
	Model     string   `json:"model"`
	Top1      *score   `json:"top1,omitempty"`
	Top5      *score   `json:"top5,omitempty"`
	Agreement score    `json:"agreement"`         // both models' first class is the same
	Logits    decibels `json:"sqnr_logits_db"`    // null: identical
	Features  decibels `json:"sqnr_features_db"`  // null: identical
	Embedded  bool     `json:"features_compared"` // both networks have an embedding
	// Drop is the other model's top-1 less this one's, in points.
	Drop    *float64 `json:"top1_drop,omitempty"`
	McNemar *mcnemar `json:"mcnemar,omitempty"`
	// Changes are the classes that this model gives where the other gave another,
	// the most frequent first.
	Changes []change `json:"changes,omitempty"`
}

// change is how often the first class went from one to another.
type change struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
}

// decibels is a ratio of signal to noise; infinite where there is no noise.
type decibels float64

// MarshalJSON writes null for infinity, which JSON has no number for.
func (d decibels) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%.3f", float64(d)), nil
}

func (d decibels) String() string {
	if math.IsInf(float64(d), 1) {
		return "identical"
	}
	return fmt.Sprintf("%.2f dB", float64(d))
}

type evalOptions struct {
	against        string
	limit, threads int
}

func (a *app) evalCommand() *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval MODEL DIR|ZIP",
		Short: "Measure accuracy on labelled images, or the loss against a float model",
		Long: `With images in class folders (class/image.jpg): the share whose first class, or
one of the first five, is right, with Wilson's 95 % interval. A folder is matched
to a class by its name, which is one of the model's labels; if not all are,
by class number (0, 1, ...); for a model without labels and as many folders as
classes, by order of name. Anything else is an error that names the folder.

With --against: how often the two models' first classes agree and which changed,
and the signal to quantisation noise ratio of logits and pooled features. This
needs no labels, and takes images in any folder. With labels: the loss of top-1,
and McNemar's test of whether it is more than chance.`,
		Example: `  seedge eval default cifar10-test.zip
  seedge eval int8.safetensors photos.zip --against float.safetensors --limit 200`,
		Args: exactly("MODEL", "DIR|ZIP"),
		RunE: func(c *cobra.Command, args []string) error { return a.eval(c.Context(), args[0], args[1], o) },
	}
	f := c.Flags()
	f.StringVar(&o.against, "against", "", "model to compare with, usually the float one")
	f.IntVar(&o.limit, "limit", 0, "most images to use, evenly spaced; 0: all")
	f.IntVar(&o.threads, "threads", runtime.GOMAXPROCS(0), "threads: images processed at once, and parts of one image")
	return c
}

func (a *app) eval(ctx context.Context, model, path string, o evalOptions) error {
	if o.limit < 0 {
		return fmt.Errorf("--limit is %d, want 1 or more, or 0 for all", o.limit)
	}
	m, err := openModel(model, o.threads)
	if err != nil {
		return err
	}
	defer m.Close()
	var ref *sdk.Model
	if o.against != "" {
		if ref, err = openModel(o.against, o.threads); err != nil {
			return err
		}
		defer ref.Close()
		if err := comparable(m.Info(), ref.Info()); err != nil {
			return fmt.Errorf("%s against %s: %w", model, o.against, err)
		}
	}
	images, err := dataset.Open(path)
	if err != nil {
		return err
	}
	defer images.Close()
	classes, err := a.classesOf(images, m.Info(), ref != nil)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	items := dataset.Sample(images.Items(), o.limit)
	start := time.Now()
	t := tally{classes: classes, both: ref != nil, embedded: ref != nil && m.Info().Features > 0, labels: m.Info().Labels}
	if err := a.measure(ctx, m, ref, items, o.threads, &t); err != nil {
		return err
	}
	e := evaluation{Model: model, Images: len(items), Of: images.Len(), Seconds: time.Since(start).Seconds()}
	t.report(&e, o.against)
	if a.json {
		return a.emit(e)
	}
	a.printEvaluation(e)
	return nil
}

// classesOf matches folders to classes. With another model to compare with,
// labels are not needed: nil then says that there are none.
func (a *app) classesOf(images *dataset.Collection, info sdk.Info, comparing bool) (*classMap, error) {
	folders := images.Classes()
	if len(folders) == 0 {
		if comparing {
			return nil, nil
		}
		return nil, fmt.Errorf("no image lies in a class folder (class/image.jpg); to measure without labels, compare with the float model: --against FLOAT")
	}
	if comparing && knowsNone(folders, info.Labels, info.Classes) {
		a.notef("note: folder %q is no class of the model; images are taken as unlabelled", folders[0])
		return nil, nil
	}
	m, err := matchClasses(folders, info.Labels, info.Classes)
	if err != nil {
		return nil, err
	}
	for _, it := range images.Items() {
		if it.Class == "" {
			return nil, fmt.Errorf("%s lies in no class folder, but others do; move it into one or away", it.Name)
		}
	}
	return &m, nil
}

// comparable reports why two models' outputs cannot be compared.
func comparable(m, ref sdk.Info) error {
	if m.Classes != ref.Classes {
		return fmt.Errorf("%d classes and %d: these are different networks", m.Classes, ref.Classes)
	}
	if m.Features != ref.Features {
		return fmt.Errorf("features of %d values and %d: these are different networks", m.Features, ref.Features)
	}
	return nil
}

// outputs is what one model makes of one image.
type outputs struct{ logits, features []float32 }

func compute(ctx context.Context, m *sdk.Model, img image.Image) (o outputs, err error) {
	o.logits, o.features, err = m.Outputs(ctx, img)
	return o, err
}

// measure runs the models on all images and counts in the images' order, so
// that sums are the same for any number of threads.
func (a *app) measure(ctx context.Context, m, ref *sdk.Model, items []dataset.Item, threads int, t *tally) error {
	type pair struct {
		class    string
		got, ref outputs
	}
	bar := a.progress()
	defer bar.finish()
	for p, err := range dataset.Map(ctx, items, threads, func(_ int, it dataset.Item) (pair, error) {
		img, err := it.Decode()
		if err != nil {
			return pair{}, err
		}
		p := pair{class: it.Class}
		if p.got, err = compute(ctx, m, img); err == nil && ref != nil {
			p.ref, err = compute(ctx, ref, img)
		}
		if err != nil {
			return pair{}, fmt.Errorf("%s: %w", it.Path, err)
		}
		return p, nil
	}) {
		if err != nil {
			return err
		}
		t.add(p.class, p.got, p.ref)
		bar.set("evaluate", t.n, len(items))
	}
	return nil
}

// tally counts over images.
type tally struct {
	classes        *classMap
	both, embedded bool
	n              int
	model, against hits
	agree          int
	lost, won      int // right with the other model alone, with this one alone
	changes        map[[2]int]int
	swaps          []swap // the images behind changes
	labels         []string
	logits         quant.SQNR
	features       quant.SQNR
}

type hits struct{ top1, top5 int }

func (t *tally) add(class string, got, ref outputs) {
	t.n++
	if t.classes != nil {
		want := t.classes.index[class]
		t.model.add(got.logits, want)
		if t.both {
			t.against.add(ref.logits, want)
			switch is, was := best(got.logits) == want, best(ref.logits) == want; {
			case was && !is:
				t.lost++
			case is && !was:
				t.won++
			}
		}
	}
	if !t.both {
		return
	}
	if is, was := best(got.logits), best(ref.logits); is == was {
		t.agree++
	} else {
		if t.changes == nil {
			t.changes = map[[2]int]int{}
		}
		t.changes[[2]int{was, is}]++
		t.swaps = append(t.swaps, newSwap(t.n-1, was, is, ref.logits, got.logits))
	}
	t.logits.Add(ref.logits, got.logits)
	t.features.Add(ref.features, got.features)
}

func (h *hits) add(logits []float32, want int) {
	switch r := rank(logits, want); {
	case r == 0:
		h.top1++
		h.top5++
	case r < 5:
		h.top5++
	}
}

// rank is how many classes come before want: those with a larger logit, and
// equal ones of a lower number, the order that Classify gives.
func rank(logits []float32, want int) int {
	n := 0
	for i, v := range logits {
		if v > logits[want] || v == logits[want] && i < want {
			n++
		}
	}
	return n
}

func best(logits []float32) int {
	at := 0
	for i, v := range logits {
		if v > logits[at] {
			at = i
		}
	}
	return at
}

func (t *tally) report(e *evaluation, against string) {
	scores := func(h hits) (top1, top5 *score) {
		if t.classes == nil {
			return nil, nil
		}
		one, five := wilson(h.top1, t.n), wilson(h.top5, t.n)
		return &one, &five
	}
	e.Top1, e.Top5 = scores(t.model)
	if t.classes != nil {
		e.Matched = t.classes.how
	}
	if t.both {
		c := comparison{Model: against, Agreement: wilson(t.agree, t.n), Logits: decibels(t.logits.DB()), Features: decibels(t.features.DB()), Embedded: t.embedded}
		c.Top1, c.Top5 = scores(t.against)
		c.Changes = t.mostChanged()
		if t.classes != nil {
			drop, m := c.Top1.Percent-e.Top1.Percent, mcNemar(t.lost, t.won)
			c.Drop, c.McNemar = &drop, &m
		}
		e.Against = &c
	}
}

// mostChanges bounds the list of changed classes.
const mostChanges = 10

// name is a class's label, or its number where the model has no labels.
func (t *tally) name(class int) string {
	if class < len(t.labels) {
		return t.labels[class]
	}
	return fmt.Sprint(class)
}

func (t *tally) mostChanged() []change {
	pairs := slices.SortedFunc(maps.Keys(t.changes), func(a, b [2]int) int {
		return cmp.Or(t.changes[b]-t.changes[a], a[0]-b[0], a[1]-b[1])
	})
	var list []change
	for _, p := range pairs[:min(len(pairs), mostChanges)] {
		list = append(list, change{t.name(p[0]), t.name(p[1]), t.changes[p]})
	}
	return list
}

func (a *app) printEvaluation(e evaluation) {
	a.printf("images          %s", thousands(int64(e.Images)))
	if e.Of != e.Images {
		a.printf(" of %s", thousands(int64(e.Of)))
	}
	a.printf(", %.1f s\n", e.Seconds)
	line := func(name string, s *score) {
		if s != nil {
			a.printf("%-15s %.2f %%  (95 %%: %.2f to %.2f)\n", name, s.Percent, s.Low, s.High)
		}
	}
	if e.Matched != "" {
		a.printf("classes         matched %s\n", e.Matched)
	}
	line("top-1", e.Top1)
	line("top-5", e.Top5)
	c := e.Against
	if c == nil {
		return
	}
	a.printf("\nagainst         %s\n", c.Model)
	line("its top-1", c.Top1)
	line("its top-5", c.Top5)
	if c.McNemar != nil {
		a.printf("top-1 drop      %.2f points: %s\n", *c.Drop, c.McNemar)
	}
	line("agreement", &c.Agreement)
	a.printf("SQNR logits     %s\n", c.Logits)
	if c.Embedded {
		a.printf("SQNR features   %s\n", c.Features)
	}
	for _, ch := range c.Changes {
		a.printf("changed         %s -> %s: %d\n", printable(ch.From), printable(ch.To), ch.Count)
	}
}
