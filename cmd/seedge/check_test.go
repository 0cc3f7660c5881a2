package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/dataset"
)

func TestParseChecks(t *testing.T) {
	got, err := parseChecks("top1_drop<0.2, sqnr > 22")
	require.NoError(t, err)
	assert.Equal(t, []check{{"top1_drop", false, 0.2}, {"sqnr", true, 22}}, got)
	assert.True(t, needLabels(got))
	assert.False(t, needLabels(got[1:]))
	for text, want := range map[string]string{
		"": "is no condition", "sqnr": "is no condition", "sqnr>": `"" is no number`, "sqnr>nan": "is no number",
		"sqnr>=2": `"=2" is no number`, "psnr>2": `unknown metric "psnr"`, "sqnr>2,": "is no condition",
	} {
		_, err := parseChecks(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestJudge(t *testing.T) {
	drop := 0.3
	c := comparison{Drop: &drop, Features: 21, Logits: 30, Embedded: true}
	checks, err := parseChecks("top1_drop<0.2,sqnr>22,sqnr_logits>22")
	require.NoError(t, err)
	err = judge(checks, c)
	require.ErrorIs(t, err, errCheck)
	assert.ErrorContains(t, err, "top1_drop is 0.3, want < 0.2; sqnr is 21, want > 22; nothing was written")
	c.Embedded = false
	assert.NoError(t, judge(checks[1:], c), "without features the logits count")
}

// The same images are never both calibrated on and measured on.
func TestSplitImages(t *testing.T) {
	var items []dataset.Item
	for i := range 10 {
		items = append(items, dataset.Item{Name: string(rune('a' + i))})
	}
	for apart := range 10 {
		calibrate, held := splitImages(items, apart)
		assert.Len(t, held, apart)
		assert.Len(t, calibrate, 10-apart)
		seen := map[string]bool{}
		for _, it := range append(calibrate, held...) {
			assert.False(t, seen[it.Name])
			seen[it.Name] = true
		}
	}
}

func TestCheckIsAGate(t *testing.T) {
	dir := newBench(t)
	_, errs, err := command(t, dir, "quantise", "float.safetensors", "-o", "good.safetensors", "--calibrate", "photos", "--holdout", "3", "--check", "sqnr>1,agreement>-1")
	require.NoError(t, err)
	assert.Contains(t, errs, "on 3 images not calibrated on: SQNR of features")
	assert.Contains(t, errs, "warning: 5 calibration images are few")
	assert.FileExists(t, filepath.Join(dir, "good.safetensors"))
	refuses(t, dir, []string{"check failed", "sqnr is", "want > 99"}, "quantise", "float.safetensors", "-o", "bad.safetensors", "--calibrate", "photos", "--check", "sqnr>99")
	assert.NoFileExists(t, filepath.Join(dir, "bad.safetensors"))
}

func TestHygiene(t *testing.T) {
	dir := newBench(t)
	img := image.NewGray(image.Rect(0, 0, 40, 20))
	for i := range img.Pix {
		img.Pix[i] = 100 + uint8(i%2)
	}
	var grey bytes.Buffer
	require.NoError(t, png.Encode(&grey, img))
	write(t, filepath.Join(dir, "flat", "plain.png"), grey.Bytes())
	copied, err := os.ReadFile(filepath.Join(dir, "flat", "9.png"))
	require.NoError(t, err)
	write(t, filepath.Join(dir, "flat", "copy.png"), copied)
	_, errs, err := command(t, dir, "quantise", "float.safetensors", "-o", "x.safetensors", "--calibrate", "flat", "--preset", "fast")
	require.NoError(t, err)
	assert.Contains(t, errs, "1 of 5 images are copies of others")
	assert.Contains(t, errs, "1 of 4 images are nearly of one colour, for example "+filepath.Join("flat", "plain.png"))
	assert.NotContains(t, errs, "all images are grey")

	write(t, filepath.Join(dir, "grey", "a.png"), grey.Bytes())
	img.SetGray(3, 3, color.Gray{Y: 200})
	grey.Reset()
	require.NoError(t, png.Encode(&grey, img))
	write(t, filepath.Join(dir, "grey", "b.png"), grey.Bytes())
	_, errs, err = command(t, dir, "quantise", "float.safetensors", "-o", "x.safetensors", "--calibrate", "grey", "--preset", "fast")
	require.NoError(t, err)
	assert.Contains(t, errs, "all images are grey")
	assert.Contains(t, errs, "smaller than the network's input")
}
