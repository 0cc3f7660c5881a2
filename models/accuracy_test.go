package models_test

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/checkpoint"
	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/quant"
	"github.com/seedge/seedge/sdk"
)

const (
	weights = "mobilenet_v3_large-cifar10.safetensors" // a state dict, half precision, torchvision's names
	sample  = "testdata/cifar10-200.zip"               // 20 test images of each class
	side    = 80                                       // of the network's input, px
)

// floatModel imports the committed weights, as seedge import does.
func floatModel(t *testing.T) *modelfile.Model {
	t.Helper()
	sd, err := checkpoint.Load(weights)
	require.NoError(t, err)
	c := mobilenetv3.Default(mobilenetv3.Large)
	c.Classes, c.Height, c.InputW = 10, side, side
	g, err := mobilenetv3.New(c)
	require.NoError(t, err)
	require.NoError(t, mobilenetv3.LoadTorchvision(g, sd))
	spec, err := preprocess.Preset("whole", side, side)
	require.NoError(t, err)
	return &modelfile.Model{Name: c.Arch, Precision: modelfile.Float32, Graph: g, Preprocess: spec}
}

// open writes a model to disk and opens it as an application would.
func open(t *testing.T, m *modelfile.Model) *sdk.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, modelfile.Write(path, m))
	model, err := sdk.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { model.Close() })
	return model
}

func openDefault(t *testing.T) *sdk.Model {
	t.Helper()
	model, err := sdk.OpenDefault()
	require.NoError(t, err)
	t.Cleanup(func() { model.Close() })
	return model
}

// outcome is one model's answer to one image.
type outcome struct {
	class    int
	logits   []float32
	features []float32
}

// answers runs a model over images, in parallel, in order.
func answers(t *testing.T, m *sdk.Model, items []dataset.Item) []outcome {
	t.Helper()
	var out []outcome
	ctx := context.Background()
	for o, err := range dataset.Map(ctx, items, runtime.GOMAXPROCS(0), func(_ int, it dataset.Item) (o outcome, err error) {
		var img image.Image
		if img, err = it.Decode(); err != nil {
			return o, err
		}
		if o.logits, err = m.Logits(ctx, img); err != nil {
			return o, err
		}
		for i, v := range o.logits {
			if v > o.logits[o.class] {
				o.class = i
			}
		}
		if len(items) <= 1000 { // features are only compared on small sets
			o.features, err = m.Embed(ctx, img)
		}
		return o, err
	}) {
		require.NoError(t, err)
		out = append(out, o)
	}
	return out
}

// top1 is the share of images whose class folder was found.
func top1(t *testing.T, items []dataset.Item, got []outcome) float64 {
	t.Helper()
	labels := openDefault(t).Info().Labels
	right := 0
	for i, it := range items {
		if labels[got[i].class] == it.Class {
			right++
		}
	}
	return 100 * float64(right) / float64(len(items))
}

func images(t *testing.T, path string) []dataset.Item {
	t.Helper()
	c, err := dataset.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c.Items()
}

func sqnr(ref, got []outcome) (features, logits float64) {
	var f, l quant.SQNR
	for i := range ref {
		f.Add(ref[i].features, got[i].features)
		l.Add(ref[i].logits, got[i].logits)
	}
	return f.DB(), l.DB()
}

// quantised makes an int8 model of the float one.
func quantised(t *testing.T, m *modelfile.Model, opts quant.Options, items []dataset.Item) *modelfile.Model {
	t.Helper()
	p, err := preprocess.New(m.Preprocess)
	require.NoError(t, err)
	inputs := func(yield func([]float32, error) bool) {
		for _, it := range items {
			x := make([]float32, m.Graph.Input().Len())
			img, err := it.Decode()
			if err == nil {
				err = p.Float(x, img)
			}
			if !yield(x, err) {
				return
			}
		}
	}
	opts.Images = len(items)
	in := quant.Input{Mean: m.Preprocess.Mean[:], Std: m.Preprocess.Std[:]}
	q, _, err := quant.Quantise(t.Context(), m.Graph, inputs, in, opts)
	require.NoError(t, err)
	return &modelfile.Model{Name: m.Name, Precision: modelfile.Int8, Quantised: q, Preprocess: m.Preprocess}
}

func half(t *testing.T, m *modelfile.Model) *modelfile.Model {
	t.Helper()
	g, err := quant.HalfWeights(m.Graph)
	require.NoError(t, err)
	return &modelfile.Model{Name: m.Name, Precision: modelfile.FP16, Graph: g, Preprocess: m.Preprocess}
}

// TestDefaultOnSample runs in every clone: the committed int8 model against the
// committed float weights on 200 labelled images it was not calibrated on.
func TestDefaultOnSample(t *testing.T) {
	items := images(t, sample)
	model := openDefault(t)
	info := model.Info()
	assert.Equal(t, "int8", info.Precision)
	assert.Len(t, info.Labels, 10)
	ref, got := answers(t, open(t, floatModel(t)), items), answers(t, model, items)
	features, logits := sqnr(ref, got)
	float, int8 := top1(t, items, ref), top1(t, items, got)
	t.Logf("200 images: top-1 float %.1f %%, int8 %.1f %%; SQNR of features %.1f dB, of logits %.1f dB", float, int8, features, logits)
	assert.GreaterOrEqual(t, int8, 85.0)
	assert.GreaterOrEqual(t, features, 20.0)
}

// TestPerChannelWins quantises the float weights anew, with scales per channel,
// per tensor, and with all that the default preset does, on half of the sample,
// and compares on the other.
func TestPerChannelWins(t *testing.T) {
	items := images(t, sample)
	var seen, unseen []dataset.Item
	for i, it := range items {
		if i%2 == 0 {
			seen = append(seen, it)
		} else {
			unseen = append(unseen, it)
		}
	}
	float := floatModel(t)
	ref := answers(t, open(t, float), unseen)
	channel, channelLogits := sqnr(ref, answers(t, open(t, quantised(t, float, quant.Options{Alpha: 0.75}, seen)), unseen))
	tensor, tensorLogits := sqnr(ref, answers(t, open(t, quantised(t, float, quant.Options{Alpha: 0}, seen)), unseen))
	preset, presetLogits := sqnr(ref, answers(t, open(t, quantised(t, float, quant.Defaults(), seen)), unseen))
	t.Logf("SQNR on %d images not calibrated on    features   logits", len(unseen))
	t.Logf("default preset                         %5.1f dB  %5.1f dB", preset, presetLogits)
	t.Logf("scale per channel (alpha 0.75)         %5.1f dB  %5.1f dB", channel, channelLogits)
	t.Logf("scale per tensor (alpha 0)             %5.1f dB  %5.1f dB", tensor, tensorLogits)
	assert.GreaterOrEqual(t, channel, 20.0)
	assert.Greater(t, channel, tensor)
	assert.Greater(t, preset, channel)
}

// TestAccuracy measures all 10,000 test images where SEEDGE_CIFAR10_TEST says
// they are: make test CIFAR10_TEST=cifar10-test.zip.
func TestAccuracy(t *testing.T) {
	path := os.Getenv("SEEDGE_CIFAR10_TEST")
	if path == "" {
		t.Skip("the 10,000 labelled images are not at hand; make test CIFAR10_TEST=zip-or-folder measures them")
	}
	items := images(t, path)
	require.Len(t, items, 10_000)
	float := floatModel(t)
	f := top1(t, items, answers(t, open(t, float), items))
	h := top1(t, items, answers(t, open(t, half(t, float)), items))
	q := top1(t, items, answers(t, openDefault(t), items))
	t.Logf("top-1 on 10,000 images: float %.2f %%, fp16 %.2f %%, int8 %.2f %%", f, h, q)
	assert.GreaterOrEqual(t, f, 90.0)
	assert.InDelta(t, f, h, 0.02)
	assert.GreaterOrEqual(t, q, f-0.3)
}
