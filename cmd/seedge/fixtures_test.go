package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/nn"
)

// The network of the tests: everything of MobileNetV3-Small, in little.
const (
	testWidth   = 0.35
	testClasses = 4
	testSide    = 64
)

var testLabels = []string{"ant", "bee", "cat", "dog"}

// importArgs are the flags that the checkpoint of the tests needs.
var importArgs = []string{"--arch", mobilenetv3.Small, "--width", fmt.Sprint(testWidth), "--input", fmt.Sprint(testSide), "--preprocess", "whole"}

// checkpointBytes is a state dict with torchvision's names, in half precision,
// of a network with seeded random weights.
func checkpointBytes(t *testing.T, arch string, width float64, classes int) []byte {
	t.Helper()
	config := mobilenetv3.Default(arch)
	config.Width, config.Classes, config.Height, config.InputW = width, classes, testSide, testSide
	g, err := mobilenetv3.New(config)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	var f safetensors.File
	block, member, part, feature := "", 0, "", -1
	for _, n := range g.Nodes[1:] {
		if len(n.Op.Params()) == 0 {
			continue
		}
		b, p, _ := strings.Cut(strings.TrimSuffix(n.Name, ".bn"), ".")
		switch {
		case b != block:
			block, part, member = b, p, 0
			feature++
		case p != part:
			part = p
			member++
		}
		prefix := fmt.Sprintf("features.%d.", feature)
		if part != "" {
			prefix += fmt.Sprintf("block.%d.", member)
		}
		switch n.Op.(type) {
		case *nn.Conv2D:
			prefix += "0."
		case *nn.BatchNorm:
			prefix += "1."
		case *nn.Linear:
			prefix = map[string]string{"hidden": "classifier.0.", "classifier": "classifier.3."}[n.Name]
		}
		for _, p := range n.Op.Params() {
			f.Tensors = append(f.Tensors, randomTensor(t, rng, prefix, p))
		}
		if _, ok := n.Op.(*nn.BatchNorm); ok {
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: prefix + "num_batches_tracked", DType: safetensors.I64, Data: make([]byte, 8)})
		}
	}
	out, err := safetensors.Encode(&f)
	require.NoError(t, err)
	return out
}

func randomTensor(t *testing.T, rng *rand.Rand, prefix string, p nn.Param) safetensors.Tensor {
	t.Helper()
	name, shape := p.Name, p.Shape
	if of, rest, ok := strings.Cut(name, "."); ok { // squeeze-and-excitation
		name = map[string]string{"reduce": "fc1.", "expand": "fc2."}[of] + rest
		if rest == "weight" {
			shape = append(append([]int{}, shape...), 1, 1)
		}
	} else if len(shape) == 4 { // [out][y][x][in] becomes [out][in][y][x]
		shape = []int{shape[0], shape[3], shape[1], shape[2]}
	}
	v := make([]float32, p.Len())
	for i := range v {
		switch {
		case p.Name == "running_var" || p.Name == "weight" && len(shape) == 1:
			v[i] = 0.75 + 0.5*rng.Float32()
		case len(shape) == 1:
			v[i] = 0.2 * float32(rng.NormFloat64())
		default:
			v[i] = float32(rng.NormFloat64() * math.Sqrt(2*float64(shape[0])/float64(len(v))))
		}
	}
	out, err := safetensors.NewF16(prefix+name, shape, v)
	require.NoError(t, err)
	return out
}

// picture is smooth random colour: PNG, w x h.
func picture(t *testing.T, seed uint64, w, h int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	var phase [6]float64
	for i := range phase {
		phase[i] = 7 * rng.Float64()
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			level := func(c int) uint8 {
				return uint8(127 + 120*math.Sin(phase[c]+float64(x)*phase[(c+1)%6]/20)*math.Cos(phase[c+3]+float64(y)*phase[(c+4)%6]/20))
			}
			img.SetRGBA(x, y, color.RGBA{level(0), level(1), level(2), 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// bench is a folder with everything most tests need, made once and copied.
type bench struct {
	once  sync.Once
	files map[string][]byte
}

var shared bench

// newBench is a fresh working directory:
//
//	checkpoint.safetensors labels.txt
//	float.safetensors int8.safetensors fp16.safetensors
//	photos/ and photos.zip: class folders with two images each
//	flat/: three images
func newBench(t *testing.T) string {
	t.Helper()
	shared.once.Do(func() { shared.files = makeBench(t) })
	require.NotNil(t, shared.files, "making the bench failed in an earlier test")
	dir := t.TempDir()
	for name, b := range shared.files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), b)
	}
	return dir
}

func makeBench(t *testing.T) map[string][]byte {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "checkpoint.safetensors"), checkpointBytes(t, mobilenetv3.Small, testWidth, testClasses))
	write(t, filepath.Join(dir, "labels.txt"), []byte(strings.Join(testLabels, "\n")+"\n"))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for i := range 8 {
		name, b := fmt.Sprintf("%s/%d.png", testLabels[i/2], i), picture(t, uint64(i), 70+i, 90-5*i)
		write(t, filepath.Join(dir, "photos", filepath.FromSlash(name)), b)
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write(b)
		require.NoError(t, err)
		if i < 3 {
			write(t, filepath.Join(dir, "flat", fmt.Sprintf("%d.png", 9-i)), b)
		}
	}
	require.NoError(t, z.Close())
	write(t, filepath.Join(dir, "photos.zip"), archive.Bytes())
	seedge(t, dir, append([]string{"import", "checkpoint.safetensors", "-o", "float.safetensors", "--labels", "labels.txt"}, importArgs...)...)
	seedge(t, dir, "quantise", "float.safetensors", "-o", "int8.safetensors", "--calibrate", "photos")
	seedge(t, dir, "quantise", "float.safetensors", "-o", "fp16.safetensors", "--precision", "fp16")
	files := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	}))
	return files
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, b, 0o644))
}
