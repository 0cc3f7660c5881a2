package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/seedge/seedge/internal/atomicfile"
	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
	"github.com/seedge/seedge/quant"
)

// side is the default model's input, px.
const side = 80

type settings struct {
	weights, labels, calibrate, test, output string
	calibration, images                      int
}

func main() {
	var s settings
	flag.StringVar(&s.weights, "weights", "models/mobilenet_v3_large-cifar10.safetensors", "float weights")
	flag.StringVar(&s.labels, "labels", "models/cifar10.txt", "labels, one a line")
	flag.StringVar(&s.calibrate, "calibrate", "", "folder or zip of images to calibrate on (required)")
	flag.StringVar(&s.test, "test", "", "folder or zip of labelled images (required)")
	flag.StringVar(&s.output, "o", "docs/accuracy.md", "file to write")
	flag.IntVar(&s.calibration, "calibration", 1000, "images to calibrate on, evenly spaced")
	flag.IntVar(&s.images, "images", 0, "images to test on, evenly spaced; 0: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

// rung is one row of the table: everything above it and one thing more.
type rung struct {
	name string
	opts quant.Options
}

// ladder adds the quantiser's steps one by one; the last is the default preset.
func ladder() []rung {
	channel := quant.Options{Alpha: 0.75, KeepBias: true}
	bias := channel
	bias.KeepBias = false
	ranges := bias
	ranges.Ranges = quant.CrossValidated
	refit := ranges
	refit.Refit = true
	return []rung{
		{"int8, one scale per tensor", quant.Options{Alpha: 0, KeepBias: true}},
		{"int8, a scale per channel", channel},
		{"+ bias correction (preset fast)", bias},
		{"+ ranges by cross-validation", ranges},
		{"+ least squares", refit},
		{"+ error-compensated rounding (preset default)", quant.Defaults()},
	}
}

func run(ctx context.Context, s settings) error {
	if s.calibrate == "" || s.test == "" {
		return errors.New("give images with -calibrate and -test")
	}
	labels, err := readLabels(s.labels)
	if err != nil {
		return err
	}
	g, spec, err := load(s.weights, len(labels))
	if err != nil {
		return err
	}
	calibration, err := open(s.calibrate, s.calibration)
	if err != nil {
		return err
	}
	defer calibration.Close()
	test, err := open(s.test, s.images)
	if err != nil {
		return err
	}
	defer test.Close()
	m := measurement{ctx: ctx, spec: spec, labels: labels, items: test.items}

	start := time.Now()
	var rows []row
	add := func(name string, run func() (result, error)) error {
		r, err := run()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, row{name, r})
		fmt.Fprintf(os.Stderr, "%-46s top-1 %.2f %%  features %s  (%.0f s)\n", name, r.percent(), r.decibels(), time.Since(start).Seconds())
		return nil
	}
	if err := add("float32", func() (result, error) { return m.float(g) }); err != nil {
		return err
	}
	err = add("fp16", func() (result, error) {
		half, err := quant.HalfWeights(g)
		if err != nil {
			return result{}, err
		}
		return m.float(half)
	})
	if err != nil {
		return err
	}
	for _, l := range ladder() {
		err := add(l.name, func() (result, error) {
			l.opts.Images = len(calibration.items)
			inputs, err := calibration.inputs(ctx, spec, g.Input())
			if err != nil {
				return result{}, err
			}
			q, _, err := quant.Quantise(ctx, g, inputs, quant.Input{Mean: spec.Mean[:], Std: spec.Std[:]}, l.opts)
			if err != nil {
				return result{}, err
			}
			return m.int8(q)
		})
		if err != nil {
			return err
		}
	}
	return write(s.output, table(rows, len(calibration.items)))
}

// load imports the float weights, as seedge import does.
func load(path string, classes int) (*nn.Graph, preprocess.Spec, error) {
	var spec preprocess.Spec
	sd, err := checkpoint.Load(path)
	if err != nil {
		return nil, spec, err
	}
	c := mobilenetv3.Default(mobilenetv3.Large)
	c.Classes, c.Height, c.InputW = classes, side, side
	g, err := mobilenetv3.New(c)
	if err != nil {
		return nil, spec, err
	}
	if err := mobilenetv3.LoadTorchvision(g, sd); err != nil {
		return nil, spec, err
	}
	spec, err = preprocess.Preset("whole", side, side)
	return g, spec, err
}

// images are what was taken of a collection.
type images struct {
	*dataset.Collection
	items []dataset.Item
}

func open(path string, n int) (images, error) {
	c, err := dataset.Open(path)
	if err != nil {
		return images{}, err
	}
	return images{c, dataset.Sample(c.Items(), n)}, nil
}

// inputs are the images as the float network takes them.
func (im images) inputs(ctx context.Context, spec preprocess.Spec, shape nn.Shape) (quant.Images, error) {
	workers := runtime.GOMAXPROCS(0)
	pre, err := processors(spec, workers)
	if err != nil {
		return nil, err
	}
	return dataset.Map(ctx, im.items, workers, func(w int, it dataset.Item) ([]float32, error) {
		img, err := it.Decode()
		if err != nil {
			return nil, err
		}
		x := make([]float32, shape.Len())
		return x, pre[w].Float(x, img)
	}), nil
}

func processors(spec preprocess.Spec, n int) ([]*preprocess.Processor, error) {
	pre := make([]*preprocess.Processor, n)
	for i := range pre {
		var err error
		if pre[i], err = preprocess.New(spec); err != nil {
			return nil, err
		}
	}
	return pre, nil
}

func write(path, text string) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(text)); err != nil {
		return err
	}
	return f.Commit()
}
