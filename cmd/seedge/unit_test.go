package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/nn"
)

func TestDescribe(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	list := errors.New("3 wrong:\n  a is missing\n\n  b is missing\n  and 1 more")
	assert.Equal(t, "3 wrong: a is missing; b is missing; and 1 more", describe(t.Context(), list))
	assert.Equal(t, "interrupted", describe(done, fmt.Errorf("image 3: %w", context.Canceled)))
	assert.Equal(t, "a", describe(done, errors.New("a")))
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 5483032: "5,483,032", math.MaxInt64: "9,223,372,036,854,775,807"} {
		assert.Equal(t, want, thousands(n))
	}
}

func TestPrintable(t *testing.T) {
	assert.Equal(t, "caf\u00e9 \ufffd[31m\ufffd", printable("caf\u00e9 \x1b[31m\n"))
}

func TestDescribeWindow(t *testing.T) {
	for want, w := range map[string]nn.Window{
		"conv 1x1":                            {In: 4, Out: 8, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1},
		"depthwise 5x5 /2":                    {In: 8, Out: 8, KernelH: 5, KernelW: 5, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Groups: 8},
		"conv in 2 groups 3x1 /2x1 dilated 2": {In: 8, Out: 8, KernelH: 3, KernelW: 1, StrideH: 2, StrideW: 1, DilationH: 2, DilationW: 2, Groups: 2},
	} {
		assert.Equal(t, want, describeWindow(w))
	}
}

func TestReadLabels(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"plain":             {"cat\ndog\n", []string{"cat", "dog"}, ""},
		"no last newline":   {"cat\ndog", []string{"cat", "dog"}, ""},
		"Windows":           {"\ufeffcat\r\ndog\r\n\r\n", []string{"cat", "dog"}, ""},
		"same label twice":  {"crane\ncrane\n", []string{"crane", "crane"}, ""},
		"too few":           {"cat\n", nil, "1 lines, but the checkpoint has 2 classes"},
		"empty line":        {"cat\n\n", nil, "1 lines"},
		"empty line inside": {"cat\n \ndog\n", nil, "line 2 is empty"},
		"empty":             {"", nil, "line 1 is empty"},
		"binary":            {"cat\x00dog\n", nil, "not a text file"},
		"not UTF-8":         {"cat\nd\xf6g\n", nil, "not a text file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "labels.txt")
			require.NoError(t, os.WriteFile(path, []byte(tc.text), 0o644))
			got, err := readLabels(path, 2)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
				require.ErrorContains(t, err, path)
			}
			assert.Equal(t, tc.want, got)
		})
	}
	none, err := readLabels("", 2)
	assert.NoError(t, err)
	assert.Nil(t, none)
}

func TestParsePreprocess(t *testing.T) {
	const rest = `"interpolation": "bicubic", "mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3]}`
	spec, err := parsePreprocess([]byte(`{"resize": 72, `+rest), 64)
	require.NoError(t, err)
	assert.Equal(t, 72, spec.Resize)
	assert.Equal(t, 64, spec.Width)
	assert.Equal(t, [3]float32{0.5, 0.4, 0.3}, spec.Mean)
	for text, want := range map[string]string{
		`{` + rest:                           `"resize" is missing`,
		`{"resize": 72, "crop": 3, ` + rest:  "crop",
		`{"resize": 72, "width": 3, ` + rest: "crops to",
		`{"resize": -1, ` + rest:             "resize is -1",
		`{"resize": "a", ` + rest:            "resize",
		`{"resize": 0, "interpolation": "lanczos", "mean": [0,0,0], "std": [1,1,1]}`:  "lanczos",
		`{"resize": 0, "interpolation": "bilinear", "mean": [0,0], "std": [1,1,1]}`:   "mean is [0,0], want three numbers",
		`{"resize": 0, "interpolation": "bilinear", "mean": [0,0,0], "std": [1,1,0]}`: "standard deviation",
		`[]`: "array",
	} {
		_, err := parsePreprocess([]byte(text), 64)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestReadPreprocessNamesThePresets(t *testing.T) {
	_, err := readPreprocess("torchvison", 64)
	assert.ErrorContains(t, err, `"torchvison"`)
	assert.ErrorContains(t, err, "torchvision-v2")
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, shown: true, since: time.Now()}
	p.set("calibrate", 1, 10)
	assert.Empty(t, b.String(), "nothing within the first second")
	p.since = time.Now().Add(-2 * patience)
	p.set("calibrate", 5, 10)
	assert.Contains(t, b.String(), "calibrate")
	assert.Contains(t, b.String(), "(5/10")
	p.set("correct biases", 1, 3)
	assert.Contains(t, b.String(), "correct biases")
	p.finish()
	p.finish()
	assert.True(t, strings.HasSuffix(b.String(), "\r"), "the line is cleared")

	b.Reset()
	p = &progress{w: &b, since: time.Now().Add(-2 * patience)}
	p.set("calibrate", 5, 10)
	assert.Empty(t, b.String(), "not a terminal")
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return d.room, errors.New("no space left")
	}
	d.room -= len(p)
	return len(p), nil
}

func TestLostResultsAreAnError(t *testing.T) {
	var errs bytes.Buffer
	err := execute(t.Context(), []string{"version"}, &fullDisk{3}, &errs)
	assert.ErrorContains(t, err, "writing the results: no space left")
}

func TestCheckOutput(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	require.NoError(t, os.WriteFile(in, nil, 0o644))
	assert.ErrorContains(t, checkOutput(""), "-o")
	assert.ErrorContains(t, checkOutput(in, in), "is the input")
	assert.ErrorContains(t, checkOutput(filepath.Join(dir, "none", "x"), in), "create the folder")
	assert.NoError(t, checkOutput(filepath.Join(dir, "out"), in))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "only the input is there")
}
