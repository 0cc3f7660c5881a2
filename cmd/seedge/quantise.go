package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
	"github.com/seedge/seedge/quant/report"
	"github.com/seedge/seedge/sdk"
)

type quantiseOptions struct {
	output, calibrate, precision, preset, check, report string
	images, holdout, threads                            int
	seed                                                uint64
}

func (a *app) quantiseCommand() *cobra.Command {
	var o quantiseOptions
	c := &cobra.Command{
		Use:     "quantise FLOAT -o OUTPUT",
		Aliases: []string{"quantize"},
		Short:   "Turn a float model into an int8 or fp16 one",
		Long: `Folds the batch norms, watches the activations on calibration images, and writes
a model with int8 weights and activations. Calibration needs no labels, only
images like those the model will see; a few hundred are enough. From more than
--images, evenly spaced ones are taken. The result depends on the images, not on
the number of threads.

--preset fast takes the extremes seen for ranges and corrects biases; default also
chooses ranges by cross-validation, refits the weights to the quantised inputs and
carries rounding errors on; best looks at more pixels of each image. What a step
gains is judged on images that it has not seen, so that a few images do no harm.

The images are checked first: copies are left out, and what is doubtful about the
others is said. --holdout keeps that many apart, never calibrated on, and measures
on them what was lost. --check names what must hold there, or else nothing is
written and the command fails: conditions on sqnr (of the features, in dB),
sqnr_logits, agreement (in percent) and, with class folders, top1_drop (in points).

--report writes one HTML file that needs no network: what each layer lost, the
weakest layers' values, ranges, clipping, the images that int8 sees differently, and
advice. It keeps images apart as --check does.

--precision fp16 halves the file instead and needs no images.`,
		Example: `  seedge quantise float.safetensors -o int8.safetensors --calibrate photos.zip
  seedge quantise float.safetensors -o int8.safetensors --calibrate photos.zip --check "top1_drop<0.2,sqnr>22"
  seedge quantise float.safetensors -o int8.safetensors --calibrate photos.zip --report report.html
  seedge quantise float.safetensors -o fp16.safetensors --precision fp16`,
		Args: exactly("FLOAT"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.precision == string(modelfile.FP16) {
				for _, f := range []string{"preset", "seed", "images", "calibrate", "holdout", "check", "report"} {
					if c.Flags().Changed(f) {
						a.notef("note: fp16 is not calibrated; --%s has no effect", f)
					}
				}
			}
			return a.quantise(c.Context(), args[0], o)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "", "model file to write (required)")
	f.StringVar(&o.calibrate, "calibrate", "", "folder or zip of images (required for int8)")
	f.StringVar(&o.precision, "precision", string(modelfile.Int8), "int8 or fp16")
	f.StringVar(&o.preset, "preset", "default", "how much to do for accuracy: "+strings.Join(quant.Presets, ", "))
	f.Uint64Var(&o.seed, "seed", 0, "decides which pixels of the images are looked at")
	f.IntVar(&o.images, "images", 500, "most images to calibrate on; 0: all")
	f.IntVar(&o.holdout, "holdout", 0, "images kept apart to measure the loss on; with --check or --report 200, or a fifth of them")
	f.StringVar(&o.check, "check", "", `what must hold on them, for example "top1_drop<0.2,sqnr>22"`)
	f.StringVar(&o.report, "report", "", "HTML file to write that shows what was lost, and where; none by default")
	f.IntVar(&o.threads, "threads", runtime.GOMAXPROCS(0), "images processed at once")
	return c
}

func (a *app) quantise(ctx context.Context, source string, o quantiseOptions) error {
	if err := checkThreads(o.threads); err != nil {
		return err
	}
	if err := checkOutput(o.output, source); err != nil {
		return err
	}
	if err := checkReport(o.report, o.output, source, o.calibrate); err != nil {
		return err
	}
	float, err := readModel(source)
	if err != nil {
		return err
	}
	if float.Precision != modelfile.Float32 {
		return fmt.Errorf("%s is already quantised to %s; give the float32 model that `seedge import` wrote", source, float.Precision)
	}
	out := &modelfile.Model{
		Name: float.Name, Preprocess: float.Preprocess, Labels: float.Labels,
		Precision: modelfile.Precision(o.precision), Provenance: maps.Clone(float.Provenance),
	}
	if out.Provenance == nil {
		out.Provenance = map[string]string{}
	}
	var notes []string // for when all went well: an error stands alone
	var v *verdict
	switch out.Precision {
	case modelfile.FP16:
		if out.Graph, err = quant.HalfWeights(float.Graph); err != nil {
			return err
		}
		out.Provenance["quantise"] = "seedge " + version + ": batch norms folded, weights rounded to half precision"
	case modelfile.Int8:
		if v, notes, err = a.calibrate(ctx, float, out, source, o); err != nil {
			return err
		}
	default:
		return fmt.Errorf("precision %q, want int8 or fp16", o.precision)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := modelfile.Write(o.output, out); err != nil {
		return err
	}
	for _, n := range notes {
		a.notef("%s", n)
	}
	if err := a.wrote(o.output, out); err != nil || v == nil {
		return err
	}
	return a.conclude(v, source, o.output, o.report)
}

// calibrate fills out with the int8 network and returns what is to be said of it.
func (a *app) calibrate(ctx context.Context, float, out *modelfile.Model, source string, o quantiseOptions) (v *verdict, notes []string, err error) {
	if o.calibrate == "" {
		return nil, nil, fmt.Errorf("int8 needs images to calibrate on; give a folder or zip with --calibrate")
	}
	if o.images < 0 {
		return nil, nil, fmt.Errorf("--images is %d, want 1 or more, or 0 for all", o.images)
	}
	var checks []check
	if o.check != "" {
		if checks, err = parseChecks(o.check); err != nil {
			return nil, nil, err
		}
	}
	opts, err := quant.Preset(o.preset)
	if err != nil {
		return nil, nil, err
	}
	images, err := dataset.Open(o.calibrate)
	if err != nil {
		return nil, nil, err
	}
	defer images.Close()
	all := images.Items()
	switch {
	case o.holdout < 0 || o.holdout >= len(all):
		return nil, nil, fmt.Errorf("--holdout is %d, want 0 to %d: %s has %d images, and some must be left to calibrate on", o.holdout, len(all)-1, o.calibrate, len(all))
	case o.holdout == 0 && (checks != nil || o.report != ""):
		if o.holdout = min(defaultHoldout, len(all)/5); o.holdout == 0 && checks != nil {
			return nil, nil, fmt.Errorf("--check needs images apart from those calibrated on, and %s has only %d; give 5 or more", o.calibrate, len(all))
		}
	}
	items, held := splitImages(all, o.holdout)
	items = dataset.Sample(items, o.images)
	bar := a.progress()
	defer bar.finish()
	items, held, notes, err = hygienic(ctx, items, held, float.Input(), o.threads, bar)
	if err != nil {
		return nil, nil, err
	}
	if len(held) == 0 && checks != nil {
		return nil, nil, fmt.Errorf("--check: every image kept apart is a copy of another; give more different images")
	}
	opts.Seed, opts.Workers, opts.Images = o.seed, o.threads, len(items)
	opts.Progress = bar.set
	spec := float.Preprocess
	in := quant.Input{Mean: spec.Mean[:], Std: spec.Std[:]}
	inputs, err := networkInputs(ctx, spec, float.Input(), items, o.threads)
	if err != nil {
		return nil, nil, err
	}
	var done *quant.Report
	out.Quantised, done, err = quant.Quantise(ctx, float.Graph, inputs, in, opts)
	if err != nil {
		return nil, nil, err
	}
	out.Provenance["quantise"] = fmt.Sprintf("seedge %s: int8, preset %s, calibrated on %d of the %d images in %s, layer by layer on %d",
		version, o.preset, done.Images, images.Len(), filepath.Base(o.calibrate), done.Held)
	v = &verdict{page: report.Page{Model: out.Name, Preset: o.preset, Calibrated: done.Images, Apart: len(held), Notes: plain(notes)}}
	if o.report != "" {
		on := held
		if len(on) == 0 {
			on = items
		}
		if err := v.fill(ctx, float, out, done.Layers, in, on, o.threads); err != nil {
			return nil, nil, err
		}
	}
	if len(held) > 0 {
		lost, err := a.judge(ctx, images, held, source, out, checks, o, v)
		if err != nil {
			return nil, nil, err
		}
		notes = append(notes, lost...)
	}
	return v, notes, nil
}

// defaultHoldout is how many images --check keeps apart.
const defaultHoldout = 200

// judge measures what quantising lost on images kept apart, and fails where a
// check is missed.
func (a *app) judge(ctx context.Context, images *dataset.Collection, held []dataset.Item, source string, out *modelfile.Model, checks []check, o quantiseOptions, v *verdict) (lost []string, err error) {
	dir, err := os.MkdirTemp("", "seedge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "int8.safetensors")
	if err := modelfile.Write(path, out); err != nil {
		return nil, err
	}
	m, err := openModel(path, o.threads)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	ref, err := openModel(source, o.threads)
	if err != nil {
		return nil, err
	}
	defer ref.Close()
	classes, err := a.classesOf(images, m.Info(), true)
	if err != nil {
		return nil, err
	}
	if classes == nil && needLabels(checks) {
		return nil, fmt.Errorf("--check: top1_drop needs images in class folders (class/image.jpg) that are the model's labels")
	}
	t := tally{classes: classes, both: true, embedded: m.Info().Features > 0, labels: m.Info().Labels}
	if err := a.measure(ctx, m, ref, held, o.threads, &t); err != nil {
		return nil, err
	}
	e := evaluation{Model: "int8", Images: len(held), Of: images.Len()}
	t.report(&e, source)
	v.lost = &e
	c := *e.Against
	lost = append(lost, fmt.Sprintf("on %d images not calibrated on: SQNR of features %s, of logits %s, agreement %.2f %%", len(held), c.Features, c.Logits, c.Agreement.Percent))
	if c.Drop != nil {
		lost = append(lost, fmt.Sprintf("top-1 float %.2f %%, int8 %.2f %%, %s", c.Top1.Percent, e.Top1.Percent, c.McNemar))
	}
	if err := judge(checks, c); err != nil || o.report == "" {
		return lost, err
	}
	img, err := held[0].Decode()
	if err != nil {
		return nil, err
	}
	for i, m := range []*sdk.Model{ref, m} {
		if v.speed[i], err = bestTime(ctx, m, img); err != nil {
			return nil, err
		}
	}
	return lost, v.show(held, t.swaps, classes, t.name)
}

// networkInputs decodes and normalises images ahead of the loop over them,
// which may be run more than once.
func networkInputs(ctx context.Context, spec preprocess.Spec, shape nn.Shape, items []dataset.Item, workers int) (iter.Seq2[[]float32, error], error) {
	pre := make([]*preprocess.Processor, workers)
	for w := range pre {
		var err error
		if pre[w], err = preprocess.New(spec); err != nil {
			return nil, err
		}
	}
	return dataset.Map(ctx, items, workers, func(w int, it dataset.Item) ([]float32, error) {
		img, err := it.Decode()
		if err != nil {
			return nil, err
		}
		input := make([]float32, shape.Len()) // belongs to who receives it
		if err := pre[w].Float(input, img); err != nil {
			return nil, fmt.Errorf("%s: %w", it.Path, err)
		}
		return input, nil
	}), nil
}

func checkThreads(n int) error {
	if n < 1 || n > 1024 {
		return fmt.Errorf("--threads is %d, want 1 to 1024", n)
	}
	return nil
}
