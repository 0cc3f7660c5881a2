package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

type quantiseOptions struct {
	output, calibrate, precision, preset string
	images, threads                      int
	seed                                 uint64
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
carries rounding errors on; best looks at more pixels and more ranges. What a step
gains is judged on images that it has not seen, so that a few images do no harm.

--precision fp16 halves the file instead and needs no images.`,
		Example: `  seedge quantise float.safetensors -o int8.safetensors --calibrate photos.zip
  seedge quantise float.safetensors -o fp16.safetensors --precision fp16`,
		Args: exactly("FLOAT"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.precision == string(modelfile.FP16) {
				for _, f := range []string{"preset", "seed", "images", "calibrate"} {
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
	switch out.Precision {
	case modelfile.FP16:
		if out.Graph, err = quant.HalfWeights(float.Graph); err != nil {
			return err
		}
		out.Provenance["quantise"] = "seedge " + version + ": batch norms folded, weights rounded to half precision"
	case modelfile.Int8:
		if err := a.calibrate(ctx, float, out, o); err != nil {
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
	return a.wrote(o.output, out)
}

// calibrate fills out with the int8 network.
func (a *app) calibrate(ctx context.Context, float, out *modelfile.Model, o quantiseOptions) error {
	if o.calibrate == "" {
		return fmt.Errorf("int8 needs images to calibrate on; give a folder or zip with --calibrate")
	}
	if o.images < 0 {
		return fmt.Errorf("--images is %d, want 1 or more, or 0 for all", o.images)
	}
	opts, err := quant.Preset(o.preset)
	if err != nil {
		return err
	}
	images, err := dataset.Open(o.calibrate)
	if err != nil {
		return err
	}
	defer images.Close()
	items := dataset.Sample(images.Items(), o.images)
	opts.Seed, opts.Workers, opts.Images = o.seed, o.threads, len(items)
	bar := a.progress()
	defer bar.finish()
	opts.Progress = bar.set
	spec := float.Preprocess
	in := quant.Input{Mean: spec.Mean[:], Std: spec.Std[:]}
	inputs, err := networkInputs(ctx, spec, float.Input(), items, o.threads)
	if err != nil {
		return err
	}
	var report *quant.Report
	out.Quantised, report, err = quant.Quantise(ctx, float.Graph, inputs, in, opts)
	if err != nil {
		return err
	}
	out.Provenance["quantise"] = fmt.Sprintf("seedge %s: int8, preset %s, calibrated on %d of the %d images in %s, layer by layer on %d",
		version, o.preset, report.Images, images.Len(), filepath.Base(o.calibrate), report.Held)
	return nil
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
