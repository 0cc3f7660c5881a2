package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seedge/seedge/internal/preprocess"
)

// maxSideFile bounds label and preprocessing files; a larger one is something else.
const maxSideFile = 16 << 20

// readLabels reads one label per line; no file gives no labels.
func readLabels(path string, classes int) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return nil, fmt.Errorf("labels %s: it is not a text file in UTF-8", path)
	}
	text := strings.TrimPrefix(string(b), "\ufeff")
	labels := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, l := range labels {
		if labels[i] = strings.TrimSpace(l); labels[i] == "" {
			return nil, fmt.Errorf("labels %s: line %d is empty; want one label per line", path, i+1)
		}
	}
	if len(labels) != classes {
		return nil, fmt.Errorf("labels %s: %d lines, but the checkpoint has %d classes; want one label per line, in the order of the classes", path, len(labels), classes)
	}
	return labels, nil
}

// readPreprocess takes a preset's name or a JSON file, for a square input.
func readPreprocess(nameOrFile string, side int) (preprocess.Spec, error) {
	if slices.Contains(preprocess.Presets(), nameOrFile) {
		return preprocess.Preset(nameOrFile, side, side)
	}
	if _, err := os.Stat(nameOrFile); err != nil {
		return preprocess.Spec{}, fmt.Errorf("preprocessing %q is neither a file nor one of the presets %s", nameOrFile, strings.Join(preprocess.Presets(), ", "))
	}
	b, err := readSmall(nameOrFile)
	if err != nil {
		return preprocess.Spec{}, err
	}
	spec, err := parsePreprocess(b, side)
	if err != nil {
		return preprocess.Spec{}, fmt.Errorf("preprocessing %s: %w", nameOrFile, err)
	}
	return spec, nil
}

// parsePreprocess is strict: a key that is misspelt or left out would otherwise
// mean a silent default, and a model that is quietly worse.
func parsePreprocess(b []byte, side int) (preprocess.Spec, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return preprocess.Spec{}, err
	}
	for _, k := range []string{"resize", "interpolation", "mean", "std"} {
		if _, ok := keys[k]; !ok {
			return preprocess.Spec{}, fmt.Errorf("the key %q is missing; want resize, interpolation, mean and std", k)
		}
	}
	for _, k := range []string{"mean", "std"} {
		var v []float32
		if err := json.Unmarshal(keys[k], &v); err != nil || len(v) != 3 {
			return preprocess.Spec{}, fmt.Errorf("%s is %s, want three numbers: red, green, blue", k, keys[k])
		}
	}
	spec := preprocess.Spec{Width: side, Height: side}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&spec); err != nil {
		return preprocess.Spec{}, err
	}
	if spec.Width != side || spec.Height != side {
		return preprocess.Spec{}, fmt.Errorf("it crops to %dx%d, but the input is %dx%d; leave width and height out", spec.Width, spec.Height, side, side)
	}
	return spec, spec.Validate()
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSideFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSideFile {
		return nil, fmt.Errorf("%s: more than %d MiB; is it the right file?", path, maxSideFile>>20)
	}
	return b, nil
}
