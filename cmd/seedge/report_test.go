package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	dir := newBench(t)
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(b)
	}
	out, _, err := command(t, dir, "quantise", "float.safetensors", "-o", "x.safetensors", "--calibrate", "photos", "--holdout", "3", "--report", "r.html")
	require.NoError(t, err)
	for _, want := range []string{"size, bytes", "top-1 (95 % interval)", "same first class", "one image, here", "weakest layers", "report: r.html"} {
		assert.Contains(t, out, want)
	}
	html := read("r.html")
	assert.Contains(t, html, "Compared on 3 images that were kept apart")
	assert.Contains(t, html, "5 calibration images are few")
	assert.Contains(t, html, "McNemar")

	out, _, err = command(t, dir, "quantise", "float.safetensors", "-o", "y.safetensors", "--calibrate", "flat", "--preset", "fast", "--report", "flat.html")
	require.NoError(t, err, "without labels, and with too few images to keep any apart")
	assert.NotContains(t, out, "top-1")
	assert.Contains(t, read("flat.html"), "No images were kept apart")

	out, _, err = command(t, dir, "quantise", "float.safetensors", "-o", "z.safetensors", "--calibrate", "flat", "--preset", "fast")
	require.NoError(t, err)
	assert.Contains(t, out, "size, bytes")

	refuses(t, dir, []string{"--report", "is also the output"}, "quantise", "float.safetensors", "-o", "new", "--calibrate", "photos", "--report", "./new")
	refuses(t, dir, []string{"is the input"}, "quantise", "float.safetensors", "-o", "new", "--calibrate", "photos.zip", "--report", "photos.zip")
	refuses(t, dir, []string{"check failed"}, "quantise", "float.safetensors", "-o", "new", "--calibrate", "photos", "--check", "sqnr>99", "--report", "bad.html")
	assert.NoFileExists(t, filepath.Join(dir, "bad.html"), "nothing is written where a check is missed")
}
