package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/mobilenetv3"
)

// with returns args with more in the middle of them.
func with(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

func TestUsageErrors(t *testing.T) {
	dir := newBench(t)
	for _, tc := range []struct{ args, wants []string }{
		{[]string{"bogus"}, []string{"bogus"}},
		{[]string{"inspect"}, []string{"inspect --help"}},
		{[]string{"inspect", "a", "b"}, []string{"2 arguments"}},
		{[]string{"classify", "default"}, []string{"classify --help"}},
		{[]string{"inspect", "default", "--jsn"}, []string{"--jsn", "inspect --help"}},
		{[]string{"classify", "default", "flat", "--top", "0"}, []string{"--top is 0"}},
		{[]string{"classify", "default", "flat", "--threads", "0"}, []string{"--threads is 0"}},
		{[]string{"embed", "default", "flat"}, []string{"-o"}},
		{[]string{"embed", "default", "flat", "-o", "none/f.npy"}, []string{"none/f.npy", "create the folder"}},
		{[]string{"embed", "default", "flat", "-o", "flat"}, []string{"flat"}},
		{[]string{"embed", "default", "photos.zip", "-o", "photos.zip"}, []string{"is the input"}},
		{[]string{"import", "checkpoint.safetensors"}, []string{"-o"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "checkpoint.safetensors"), []string{"is the input"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--arch", "resnet50"), []string{"resnet50", mobilenetv3.Small}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--input", "31"), []string{"31x31", "32 to"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--width", "0"), []string{"width multiplier 0"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--width", "nan"), []string{"width multiplier NaN"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--preprocess", "imagenet"), []string{"imagenet", "torchvision-v2"}},
		{with(importArgs, "import", "checkpoint.safetensors", "-o", "x", "--labels", "none.txt"), []string{"none.txt"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--precision", "int4", "--calibrate", "flat"}, []string{"int4", "int8 or fp16"}},
		{[]string{"quantise", "float.safetensors", "-o", "x"}, []string{"--calibrate"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "flat", "--preset", "good"}, []string{"good", "fast, default, best"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "flat", "--holdout", "3"}, []string{"--holdout is 3, want 0 to 2", "flat has 3 images"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "flat", "--check", "sqnr>1"}, []string{"flat has only 3", "give 5 or more"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "photos", "--check", "psnr>1"}, []string{`"psnr"`, "agreement, sqnr, sqnr_logits, top1_drop"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "flat", "--holdout", "1", "--check", "top1_drop<1"}, []string{"top1_drop needs images in class folders"}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "flat", "--images", "-1"}, []string{"--images is -1"}},
		{[]string{"quantise", "int8.safetensors", "-o", "x", "--calibrate", "flat"}, []string{"already quantised to int8"}},
		{[]string{"quantise", "checkpoint.safetensors", "-o", "x", "--calibrate", "flat"}, []string{"checkpoint.safetensors", "seedge import"}},
		{[]string{"eval", "int8.safetensors", "flat"}, []string{"flat", "--against"}},
		{[]string{"eval", "int8.safetensors", "."}, []string{`"flat" is not one of the model's 4 labels`}},
		{[]string{"eval", "int8.safetensors", "photos", "--against", "default"}, []string{"4 classes and 10"}},
		{[]string{"eval", "int8.safetensors", "photos", "--limit", "-1"}, []string{"--limit is -1"}},
		{[]string{"run", "default", "x", "--frames", "-1"}, []string{"--frames is -1"}},
		{[]string{"run", "default", "ftp://x/y"}, []string{"ftp"}},
		{[]string{"inspect", "none.safetensors"}, []string{"none.safetensors", "no such file"}},
		{[]string{"inspect", "float.safetensors", "--plan"}, []string{"float.safetensors", "no plan", "seedge quantise"}},
		{[]string{"inspect", "photos"}, []string{"photos"}},
		{[]string{"inspect", "photos.zip"}, []string{"photos.zip", "not a Seedge model"}},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) { refuses(t, dir, tc.wants, tc.args...) })
	}
}

// One of each kind as a process: what a user of a shell sees.
func TestExitStatus(t *testing.T) {
	dir := newBench(t)
	torch := filepath.Join("..", "..", "internal", "checkpoint", "testdata", "torch1.13", "plain.pth")
	pth, err := os.ReadFile(torch)
	require.NoError(t, err)
	model, err := os.ReadFile(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	write(t, filepath.Join(dir, "othernet.pth"), pth)
	write(t, filepath.Join(dir, "truncated.pth"), pth[:len(pth)/2])
	write(t, filepath.Join(dir, "newer.safetensors"), bytes.Replace(model, []byte(`"seedge.version":"1.`), []byte(`"seedge.version":"9.`), 1))
	model[len(model)-1000] ^= 0x10
	write(t, filepath.Join(dir, "flipped.safetensors"), model)
	write(t, filepath.Join(dir, "withtext", "b.jpg"), []byte("This is a text file."))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	for _, tc := range []struct{ args, wants []string }{
		{[]string{"import", "truncated.pth", "-o", "x"}, []string{"truncated.pth", "cut short"}},
		{[]string{"import", "othernet.pth", "-o", "x"}, []string{"othernet.pth", "not one of this network"}},
		{[]string{"classify", "flipped.safetensors", "flat"}, []string{"flipped.safetensors", "checksum"}},
		{[]string{"inspect", "newer.safetensors"}, []string{"newer.safetensors", "version 9."}},
		{[]string{"quantise", "float.safetensors", "-o", "x", "--calibrate", "empty"}, []string{"no images in empty"}},
		{[]string{"embed", "int8.safetensors", "withtext", "-o", "f.npy"}, []string{"b.jpg", "not an image"}},
		{[]string{"inspect"}, []string{"inspect --help"}},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) { fails(t, dir, tc.wants, tc.args...) })
	}
}

func TestBadCheckpoints(t *testing.T) {
	dir := newBench(t)
	whole, err := os.ReadFile(filepath.Join(dir, "checkpoint.safetensors"))
	require.NoError(t, err)
	torch, err := os.ReadFile(filepath.Join("..", "..", "internal", "checkpoint", "testdata", "torch1.13", "plain.pth"))
	require.NoError(t, err)
	nan, err := os.ReadFile(filepath.Join("..", "..", "internal", "checkpoint", "testdata", "torch1.13", "nan.pth"))
	require.NoError(t, err)
	edit := func(change func(f *safetensors.File)) []byte {
		f, err := safetensors.Parse(bytes.Clone(whole))
		require.NoError(t, err)
		change(f)
		b, err := safetensors.Encode(f)
		require.NoError(t, err)
		return b
	}
	for name, tc := range map[string]struct {
		content []byte
		wants   []string
	}{
		"truncated.pth":         {torch[:len(torch)/2], []string{"truncated.pth", "cut short"}},
		"truncated.safetensors": {whole[:len(whole)/2], []string{"truncated.safetensors", "cut short"}},
		"empty.pth":             {nil, []string{"empty.pth", "empty"}},
		"text.pth":              {[]byte("hello"), []string{"text.pth", "hello"}},
		"othernet.pth":          {torch, []string{"othernet.pth", "not one of this network"}},
		"nan.pth":               {nan, []string{"nan.pth", "non-finite"}},
		"large.safetensors":     {checkpointBytes(t, mobilenetv3.Large, testWidth, testClasses), []string{"large.safetensors", "mobilenet_v3_large"}},
		"wide.safetensors":      {checkpointBytes(t, mobilenetv3.Small, 0.5, testClasses), []string{"wide.safetensors", "width 0.5"}},
		"missing.safetensors": {edit(func(f *safetensors.File) {
			f.Tensors = f.Tensors[:len(f.Tensors)-1]
		}), []string{"is missing, want shape"}},
		"extra.safetensors": {edit(func(f *safetensors.File) {
			x := f.Tensors[0]
			x.Name = "features.99.weight"
			f.Tensors = append(f.Tensors, x)
		}), []string{"features.99.weight", "not part of the network"}},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, filepath.Join(dir, name), tc.content)
			refuses(t, dir, tc.wants, append([]string{"import", name, "-o", "out.safetensors"}, importArgs...)...)
		})
	}
}

func TestBadModels(t *testing.T) {
	dir := newBench(t)
	whole, err := os.ReadFile(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1000] ^= 0x10
	newer := bytes.Replace(whole, []byte(`"seedge.version":"1.`), []byte(`"seedge.version":"9.`), 1)
	require.NotEqual(t, whole, newer)
	for name, tc := range map[string]struct {
		content []byte
		wants   []string
	}{
		"flipped.safetensors": {flipped, []string{"flipped.safetensors", "checksum"}},
		"newer.safetensors":   {newer, []string{"newer.safetensors", "version 9.", "upgrade"}},
		"short.safetensors":   {whole[:len(whole)-1], []string{"short.safetensors", "cut short"}},
		"empty.safetensors":   {nil, []string{"empty.safetensors"}},
	} {
		write(t, filepath.Join(dir, name), tc.content)
		for _, args := range [][]string{
			{"inspect", name}, {"classify", name, "flat/9.png"}, {"embed", name, "flat", "-o", "f.npy"},
			{"eval", name, "photos"}, {"quantise", name, "-o", "x.safetensors", "--calibrate", "flat"}, {"run", name, "clip.avi"},
		} {
			t.Run(name+" "+args[0], func(t *testing.T) { refuses(t, dir, tc.wants, args...) })
		}
	}
}

func TestBadImages(t *testing.T) {
	dir := newBench(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	write(t, filepath.Join(dir, "notes", "readme.txt"), []byte("no image"))
	write(t, filepath.Join(dir, "withtext", "a.png"), picture(t, 1, 40, 40))
	write(t, filepath.Join(dir, "withtext", "b.jpg"), []byte("This is a text file."))
	photos, err := os.ReadFile(filepath.Join(dir, "photos.zip"))
	require.NoError(t, err)
	write(t, filepath.Join(dir, "short.zip"), photos[:len(photos)/2])
	for path, wants := range map[string][]string{
		"empty":     {"no images in empty"},
		"notes":     {"no images in notes"},
		"withtext":  {filepath.Join("withtext", "b.jpg"), "image"},
		"short.zip": {"short.zip", "zip"},
		"none":      {"none"},
	} {
		for _, args := range [][]string{
			{"quantise", "float.safetensors", "-o", "x.safetensors", "--calibrate", path},
			{"embed", "int8.safetensors", path, "-o", "f.npy"},
			{"classify", "int8.safetensors", path},
			{"eval", "int8.safetensors", path, "--against", "float.safetensors"},
		} {
			t.Run(args[0]+" "+path, func(t *testing.T) { refuses(t, dir, wants, args...) })
		}
	}
}

// An old result stays when a new one cannot be made.
func TestFailureKeepsTheOldFile(t *testing.T) {
	dir := newBench(t)
	write(t, filepath.Join(dir, "old.npy"), []byte("precious"))
	write(t, filepath.Join(dir, "withtext", "a.png"), picture(t, 1, 40, 40))
	write(t, filepath.Join(dir, "withtext", "b.jpg"), []byte("This is a text file."))
	refuses(t, dir, []string{"b.jpg"}, "embed", "int8.safetensors", "withtext", "-o", "old.npy")
	refuses(t, dir, []string{"b.jpg"}, "quantise", "float.safetensors", "-o", "int8.safetensors", "--calibrate", "withtext")
}

// A tmpfs with room for the beginning of a result only.
func TestFullDisk(t *testing.T) {
	dir := newBench(t)
	disk := filepath.Join(dir, "disk")
	require.NoError(t, os.Mkdir(disk, 0o755))
	script := `mount -t tmpfs -o size=64k seedge-test disk || exit 77
"$@"; status=$?
ls -A disk
exit $status`
	for i := range 100 { // enough rows for 64 KiB
		write(t, filepath.Join(dir, "many", fmt.Sprintf("%d.png", i)), picture(t, 1, 40, 40))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	// In a name space of its own, which ends with the process: as root, or as root of a user name space.
	for _, shell := range [][]string{{"unshare", "-m", "sh", "-c"}, {"unshare", "-Urm", "sh", "-c"}} {
		probe := exec.CommandContext(t.Context(), shell[0], append(shell[1:], script, "sh", "true")...)
		probe.Dir = dir
		if probe.Run() != nil {
			continue
		}
		for _, args := range [][]string{
			{"quantise", "float.safetensors", "-o", "disk/x.safetensors", "--calibrate", "flat"},
			{"import", "checkpoint.safetensors", "-o", "disk/x.safetensors", "--arch", mobilenetv3.Small, "--width", "0.35", "--input", "64"},
			{"embed", "int8.safetensors", "many", "-o", "disk/f.npy"},
		} {
			cmd := exec.CommandContext(t.Context(), shell[0], append(append(shell[1:], script, "sh", self), args...)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), actAsSeedge+"=1")
			out, errs, status := finish(t, cmd)
			assertFailure(t, out, errs, status, []string{"writing disk/", "disk is full"})
		}
		return
	}
	t.Skip("no tmpfs can be mounted here; the full disk is not tested")
}

func TestInterruptedQuantise(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc to see when calibration has begun")
	}
	dir := newBench(t)
	// Work for minutes: the large network on hundreds of pictures.
	write(t, filepath.Join(dir, "large.safetensors"), checkpointBytes(t, mobilenetv3.Large, 1, 10))
	seedge(t, dir, "import", "large.safetensors", "-o", "big.safetensors", "--input", "224")
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for i := range 300 {
		w, err := z.Create(fmt.Sprintf("%d.png", i))
		require.NoError(t, err)
		_, err = w.Write(picture(t, uint64(i), 40, 40))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	write(t, filepath.Join(dir, "many.zip"), archive.Bytes())
	before := tree(t, dir)
	cmd := program(t, dir, "quantise", "big.safetensors", "-o", "x.safetensors", "--calibrate", "many.zip")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	waitForFile(t, cmd.Process.Pid, filepath.Join(dir, "many.zip")) // calibration holds it open
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	start := time.Now()
	err := cmd.Wait()
	t.Logf("ended %v after Ctrl-C", time.Since(start).Round(time.Millisecond))
	require.Error(t, err)
	assertFailure(t, out.String(), errs.String(), cmd.ProcessState.ExitCode(), []string{"interrupted"})
	assert.Equal(t, before, tree(t, dir))
}
