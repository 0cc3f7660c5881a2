package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/quant"
)

// TestTable runs the whole command on a few images of the sample.
func TestTable(t *testing.T) {
	root := filepath.Join("..", "..", "models")
	s := settings{
		weights: filepath.Join(root, "mobilenet_v3_large-cifar10.safetensors"), labels: filepath.Join(root, "cifar10.txt"),
		calibrate: filepath.Join(root, "testdata", "cifar10-200.zip"), test: filepath.Join(root, "testdata", "cifar10-200.zip"),
		output: filepath.Join(t.TempDir(), "accuracy.md"), calibration: 8, images: 10,
	}
	require.NoError(t, run(t.Context(), s))
	text, err := os.ReadFile(s.output)
	require.NoError(t, err)
	for _, want := range []string{"at 80 px: calibrated on 8 training images, measured on 10 test", "| float32 |", "| 100.00 % | - | - |", "(preset default) |"} {
		assert.Contains(t, string(text), want)
	}
}

func TestLadderEndsWithTheDefaults(t *testing.T) {
	l := ladder()
	assert.Equal(t, quant.Defaults(), l[len(l)-1].opts)
}

func TestErrors(t *testing.T) {
	assert.ErrorContains(t, run(t.Context(), settings{}), "-calibrate")
	assert.ErrorIs(t, run(t.Context(), settings{calibrate: "a", test: "b", labels: "none.txt"}), os.ErrNotExist)
}
