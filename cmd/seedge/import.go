package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/mobilenetv3"
)

type importOptions struct {
	output, arch, labels, preprocess string
	width                            float64
	dilated                          bool
	input                            int
}

func (a *app) importCommand() *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import CHECKPOINT -o FLOAT",
		Short: "Turn a torchvision checkpoint into a float model",
		Long: `Reads the state dict of torchvision's MobileNetV3 from a .pth or .safetensors
file and writes a float32 model file with everything needed to use it: network,
weights, preprocessing and labels. Every tensor must be there, with the right
shape and finite values, and no other. The number of classes is the
checkpoint's.

--preprocess names what the weights were trained with: one of the presets
` + strings.Join(preprocess.Presets(), ", ") + `, or a JSON file such as
  {"resize": 256, "interpolation": "bilinear",
   "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
with the length of the shorter side after resizing (0: no resizing),
"bilinear" or "bicubic", and mean and standard deviation of red, green and blue
on a scale of 0 to 1.`,
		Example: `  seedge import mobilenet_v3_large-5c1a4163.pth -o float.safetensors --labels imagenet.txt --preprocess torchvision-v2
  seedge import small.safetensors -o float.safetensors --arch mobilenet_v3_small --input 160`,
		Args: exactly("CHECKPOINT"),
		RunE: func(_ *cobra.Command, args []string) error { return a.importModel(args[0], o) },
	}
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "", "model file to write (required)")
	f.StringVar(&o.arch, "arch", mobilenetv3.Large, "architecture: "+mobilenetv3.Large+" or "+mobilenetv3.Small)
	f.Float64Var(&o.width, "width", 1, "width multiplier")
	f.BoolVar(&o.dilated, "dilated", false, "torchvision's dilated variant: the last stage at stride 1, dilation 2")
	f.IntVar(&o.input, "input", 224, "side of the square input in pixels, from 32 up")
	f.StringVar(&o.labels, "labels", "", "text file with one label per line, in the order of the classes")
	f.StringVar(&o.preprocess, "preprocess", "torchvision", "preset, or JSON file, of the weights' preprocessing")
	return c
}

func (a *app) importModel(source string, o importOptions) error {
	if err := checkOutput(o.output, source); err != nil {
		return err
	}
	weights, err := checkpoint.Load(source)
	if err != nil {
		return err
	}
	config := mobilenetv3.Default(o.arch)
	config.Width, config.Dilated, config.Height, config.InputW = o.width, o.dilated, o.input, o.input
	if config.Classes, err = mobilenetv3.Classes(weights); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	graph, err := mobilenetv3.New(config)
	if err != nil {
		return err
	}
	if err := mobilenetv3.LoadTorchvision(graph, weights); err != nil {
		return fmt.Errorf("%s as %s: %w", source, o.arch, err)
	}
	spec, err := readPreprocess(o.preprocess, o.input)
	if err != nil {
		return err
	}
	labels, err := readLabels(o.labels, config.Classes)
	if err != nil {
		return err
	}
	sum, err := fileSHA256(source)
	if err != nil {
		return err
	}
	model := &modelfile.Model{
		Name: o.arch, Precision: modelfile.Float32, Graph: graph, Preprocess: spec, Labels: labels,
		Provenance: map[string]string{
			"checkpoint":        filepath.Base(source),
			"checkpoint.sha256": sum,
			"import":            fmt.Sprintf("seedge %s: %s, width %s, dilated %t, input %d, preprocess %s", version, o.arch, strconv.FormatFloat(o.width, 'g', -1, 64), o.dilated, o.input, filepath.Base(o.preprocess)),
		},
	}
	if err := modelfile.Write(o.output, model); err != nil {
		return err
	}
	return a.wrote(o.output, model)
}

// wrote reports a model that has been written.
func (a *app) wrote(path string, m *modelfile.Model) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	cost := m.Cost()
	if a.json {
		return a.emit(map[string]any{
			"output": path, "bytes": st.Size(), "name": m.Name, "precision": m.Precision,
			"classes": m.Classes(), "labels": len(m.Labels), "parameters": cost.Params, "macs": cost.MACs,
		})
	}
	a.printf("%s: %s, %s, %s, %d classes, %s parameters, %s MACs, %s bytes\n", path, m.Name, m.Precision,
		m.Input(), m.Classes(), thousands(cost.Params), thousands(cost.MACs), thousands(st.Size()))
	if len(m.Labels) == 0 {
		a.notef("note: the model has no labels; classes will be shown by number (--labels)")
	}
	return nil
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
