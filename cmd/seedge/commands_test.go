package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/quant"
	"github.com/seedge/seedge/sdk"
)

func TestHelp(t *testing.T) {
	for _, c := range []string{"import", "quantise", "inspect", "classify", "embed", "eval", "run", "bench", "version"} {
		out := seedge(t, t.TempDir(), c, "--help")
		assert.Contains(t, out, "Usage:\n  seedge "+c, c)
		assert.Contains(t, out, "Examples:\n  seedge "+c, c)
		assert.Contains(t, out, "--json", c)
	}
	assert.Contains(t, seedge(t, t.TempDir()), "Available Commands:")
}

func TestVersion(t *testing.T) {
	out, errs, status := runSeedge(t, t.TempDir(), "version")
	assert.Zero(t, status)
	assert.Empty(t, errs)
	assert.Contains(t, out, "seedge "+version)
	assert.Equal(t, version, asJSON[map[string]any](t, seedge(t, t.TempDir(), "version", "--json"))["version"])
}

func TestImport(t *testing.T) {
	dir := newBench(t)
	m, err := modelfile.Read(filepath.Join(dir, "float.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, testLabels, m.Labels)
	assert.Equal(t, modelfile.Float32, m.Precision)
	assert.Equal(t, testSide, m.Preprocess.Resize)
	assert.Equal(t, "checkpoint.safetensors", m.Provenance["checkpoint"])
	assert.Len(t, m.Provenance["checkpoint.sha256"], 64)

	out := seedge(t, dir, append([]string{"import", "checkpoint.safetensors", "-o", "again.safetensors", "--labels", "labels.txt", "--json"}, importArgs...)...)
	report := asJSON[map[string]any](t, out)
	assert.EqualValues(t, testClasses, report["classes"])
	a, err := os.ReadFile(filepath.Join(dir, "float.safetensors"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(dir, "again.safetensors"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(a, b), "the same checkpoint gives the same bytes")

	spec := `{"resize": 80, "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.25, 0.5]}`
	write(t, filepath.Join(dir, "own.json"), []byte(spec))
	args := append([]string{"import", "checkpoint.safetensors", "-o", "own.safetensors"}, importArgs...)
	seedge(t, dir, append(args, "--preprocess", "own.json", "--dilated")...)
	m, err = modelfile.Read(filepath.Join(dir, "own.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, 80, m.Preprocess.Resize)
	assert.Equal(t, float32(0.25), m.Preprocess.Std[1])
	assert.Nil(t, m.Labels)
	pool, _ := m.Graph.Lookup("head")
	assert.Equal(t, 4, m.Graph.Nodes[pool].Shape.H, "dilated: stride 16 at the end")
}

func TestQuantiseDependsOnImagesAlone(t *testing.T) {
	dir := newBench(t)
	want, err := os.ReadFile(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	seedge(t, dir, "quantise", "float.safetensors", "-o", "one.safetensors", "--calibrate", "photos", "--threads", "1")
	got, err := os.ReadFile(filepath.Join(dir, "one.safetensors"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "threads")
	seedge(t, dir, "quantise", "float.safetensors", "-o", "zip.safetensors", "--calibrate", "photos.zip", "--images", "3", "--preset", "fast")
	m, err := modelfile.Read(filepath.Join(dir, "zip.safetensors"))
	require.NoError(t, err)
	assert.Contains(t, m.Provenance["quantise"], "preset fast, calibrated on 3 of the 8 images in photos.zip")
}

func TestFP16SaysWhatItIgnores(t *testing.T) {
	dir := newBench(t)
	_, errs, err := command(t, dir, "quantise", "float.safetensors", "-o", "x.safetensors", "--precision", "fp16", "--calibrate", "photos")
	require.NoError(t, err)
	assert.Contains(t, errs, "--calibrate has no effect")
}

// TestInspectPlan: every node that the model computes is in the plan, whose
// multiply-accumulates are the model's; a float model has none.
func TestInspectPlan(t *testing.T) {
	dir := newBench(t)
	m, err := modelfile.Read(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	p := asJSON[plan](t, seedge(t, dir, "inspect", "int8.safetensors", "--plan", "--json"))
	assert.Equal(t, m.Cost().MACs, p.MACs)
	assert.NotEmpty(t, p.ISA)
	assert.Positive(t, p.ArenaBytes)
	text := seedge(t, dir, "inspect", "int8.safetensors", "--plan")
	for _, n := range m.Quantised.Nodes[1:] {
		assert.Contains(t, text, n.Name)
	}
	for _, s := range p.Steps {
		assert.Contains(t, text, s.Name)
		assert.Contains(t, text, s.Kernel)
		assert.Positive(t, s.InputBytes+s.OutputBytes)
	}
	t.Setenv("SEEDGE_ISA", "generic")
	assert.Contains(t, seedge(t, dir, "inspect", "int8.safetensors", "--plan"), "generic")
}

func TestInspect(t *testing.T) {
	dir := newBench(t)
	for _, precision := range []string{"float", "fp16", "int8"} {
		t.Run(precision, func(t *testing.T) {
			file := precision + ".safetensors"
			m, err := modelfile.Read(filepath.Join(dir, file))
			require.NoError(t, err)
			s := asJSON[summary](t, seedge(t, dir, "inspect", file, "--json"))
			assert.Equal(t, m.Cost().Params, s.Total.Params)
			assert.Equal(t, m.Cost().MACs, s.Total.MACs)
			assert.Equal(t, testLabels, s.Labels)
			assert.Equal(t, m.Preprocess, s.Preprocess)
			var se, sum costSummary
			for _, n := range s.Nodes {
				sum.Params += n.Params
				sum.MACs += n.MACs
				if strings.HasSuffix(n.Node, ".se") {
					se.Params += n.Params
					se.MACs += n.MACs
				}
			}
			assert.Equal(t, s.Total, sum)
			assert.Equal(t, s.SE, se)
			assert.Positive(t, se.Params)

			text := seedge(t, dir, "inspect", file)
			assert.Contains(t, text, "depthwise 5x5 /2")
			assert.Contains(t, text, "squeeze-excite")
			assert.Contains(t, text, thousands(s.Total.MACs)+" MACs")
			assert.Contains(t, text, "ant, bee, cat, dog")
			assert.Contains(t, text, "checkpoint.safetensors")
			assert.Contains(t, text, string(m.Precision))
		})
	}
}

func TestClassify(t *testing.T) {
	dir := newBench(t)
	for _, file := range []string{"float.safetensors", "fp16.safetensors", "int8.safetensors"} {
		m, err := sdk.Open(filepath.Join(dir, file), sdk.WithTopK(2))
		require.NoError(t, err)
		all := asJSON[[]classified](t, seedge(t, dir, "classify", file, "flat/9.png", "photos.zip", "--top", "2", "--json"))
		require.Len(t, all, 9)
		assert.Equal(t, "flat/9.png", all[0].Image)
		assert.Equal(t, "photos.zip: ant/0.png", all[1].Image)
		assert.Equal(t, all[0].Predictions, all[1].Predictions, "the same picture")
		img, err := sdk.OpenImage(filepath.Join(dir, "flat", "9.png"))
		require.NoError(t, err)
		want, err := m.Classify(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, predictions(want), all[0].Predictions)
		require.NoError(t, m.Close())
	}
	text := seedge(t, dir, "classify", "int8.safetensors", "flat/9.png")
	for _, l := range testLabels {
		assert.Contains(t, text, l)
	}
}

func TestClassifyWithoutLabels(t *testing.T) {
	dir := newBench(t)
	seedge(t, dir, append([]string{"import", "checkpoint.safetensors", "-o", "bare.safetensors"}, importArgs...)...)
	assert.Contains(t, seedge(t, dir, "classify", "bare.safetensors", "flat/9.png"), "class 3")
}

// matrix reads what embed wrote, as far as a test needs it.
func matrix(t *testing.T, path string, cols int) [][]float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b[:128]), "'descr': '<f4', 'fortran_order': False")
	b = b[128:]
	require.Zero(t, len(b)%(4*cols))
	var rows [][]float32
	for ; len(b) > 0; b = b[4*cols:] {
		row := make([]float32, cols)
		for i := range row {
			row[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEmbed(t *testing.T) {
	dir := newBench(t)
	for _, file := range []string{"float.safetensors", "fp16.safetensors", "int8.safetensors"} {
		out := asJSON[struct {
			Shape  [2]int
			Images []string
		}](t, seedge(t, dir, "embed", file, "flat", "photos.zip", "photos/dog/7.png", "-o", "f.npy", "--json"))
		m, err := sdk.Open(filepath.Join(dir, file))
		require.NoError(t, err)
		width := m.Info().Features
		assert.Equal(t, [2]int{12, width}, out.Shape)
		assert.Equal(t, []string{filepath.Join("flat", "7.png"), filepath.Join("flat", "8.png"), filepath.Join("flat", "9.png"), "photos.zip: ant/0.png"}, out.Images[:4])
		rows := matrix(t, filepath.Join(dir, "f.npy"), width)
		require.Len(t, rows, 12)
		assert.Equal(t, rows[2], rows[3], "flat/9.png is ant/0.png")
		assert.Equal(t, rows[10], rows[11], "dog/7.png in the zip and alone")
		img, err := sdk.OpenImage(filepath.Join(dir, "flat", "9.png"))
		require.NoError(t, err)
		want, err := m.Embed(t.Context(), img)
		require.NoError(t, err)
		assert.Equal(t, want, rows[2])
		require.NoError(t, m.Close())
	}
}

func TestEval(t *testing.T) {
	dir := newBench(t)
	e := asJSON[evaluation](t, seedge(t, dir, "eval", "int8.safetensors", "photos.zip", "--against", "float.safetensors", "--json"))
	assert.Equal(t, 8, e.Images)
	assert.Equal(t, byLabel, e.Matched)

	// The same by hand.
	var right, agree int
	var logits, features quant.SQNR
	i8, err := sdk.Open(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	f32, err := sdk.Open(filepath.Join(dir, "float.safetensors"))
	require.NoError(t, err)
	images, err := openGallery([]string{filepath.Join(dir, "photos")})
	require.NoError(t, err)
	for i, it := range images.items {
		img, err := it.Decode()
		require.NoError(t, err)
		got, err := compute(t.Context(), i8, img)
		require.NoError(t, err)
		want, err := compute(t.Context(), f32, img)
		require.NoError(t, err)
		p, err := i8.Classify(t.Context(), img)
		require.NoError(t, err)
		if p[0].Index == i/2 {
			right++
		}
		q, err := f32.Classify(t.Context(), img)
		require.NoError(t, err)
		if p[0].Index == q[0].Index {
			agree++
		}
		logits.Add(want.logits, got.logits)
		features.Add(want.features, got.features)
	}
	assert.Equal(t, right, e.Top1.Correct)
	assert.InDelta(t, e.Against.Top1.Percent-e.Top1.Percent, *e.Against.Drop, 1e-9)
	assert.Equal(t, e.Against.Top1.Correct-e.Top1.Correct, e.Against.McNemar.Lost-e.Against.McNemar.Won)
	changed := 0
	for _, c := range e.Against.Changes {
		changed += c.Count
	}
	assert.Equal(t, 8-agree, changed)
	assert.Equal(t, 8, e.Top5.Correct, "four classes are all among the first five")
	assert.Equal(t, agree, e.Against.Agreement.Correct)
	assert.InDelta(t, logits.DB(), float64(e.Against.Logits), 1e-3)
	assert.InDelta(t, features.DB(), float64(e.Against.Features), 1e-3)
	assert.Greater(t, features.DB(), 10.0, "int8 is close to float")

	text := seedge(t, dir, "eval", "int8.safetensors", "flat", "--against", "float.safetensors", "--limit", "2")
	assert.Contains(t, text, "2 of 3")
	assert.Contains(t, text, "agreement")
	assert.Contains(t, text, "SQNR features")
	assert.NotContains(t, text, "top-1")
	assert.Contains(t, seedge(t, dir, "eval", "float.safetensors", "flat", "--against", "float.safetensors"), "identical")
	assert.Contains(t, seedge(t, dir, "eval", "float.safetensors", "flat", "--against", "float.safetensors", "--json"), `"sqnr_logits_db": null`)

	// Images in a folder that is no class count as unlabelled, and it is said;
	// but where other folders are classes, it is a mistake.
	refuses(t, dir, []string{`"flat" is not one of the model's 4 labels`}, "eval", "int8.safetensors", ".", "--against", "float.safetensors")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "unlabelled"), 0o755))
	require.NoError(t, os.Rename(filepath.Join(dir, "flat"), filepath.Join(dir, "unlabelled", "x")))
	_, errs, err := command(t, dir, "eval", "int8.safetensors", "unlabelled", "--against", "float.safetensors")
	require.NoError(t, err)
	assert.Contains(t, errs, `folder "x" is no class of the model`)
}

func TestDefaultModel(t *testing.T) {
	dir := newBench(t)
	s := asJSON[summary](t, seedge(t, dir, "inspect", "default", "--json"))
	assert.Equal(t, modelfile.Int8, s.Precision)
	assert.Len(t, s.Labels, 10)
	all := asJSON[[]classified](t, seedge(t, dir, "classify", "default", "flat/9.png", "--top", "1", "--json"))
	assert.Contains(t, s.Labels, all[0].Predictions[0].Label)
	refuses(t, dir, []string{"already quantised"}, "quantise", "default", "-o", "x.safetensors", "--calibrate", "flat")
}
