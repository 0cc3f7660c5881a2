package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/dataset"
)

// The program is one static binary for 64-bit ARM, and computes the same bytes
// there as here.
func TestSameLogitsOnARM(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		if os.Getenv("SEEDGE_REQUIRE_DATA") != "" {
			t.Fatal("qemu-aarch64 is missing (Debian package qemu-user)")
		}
		t.Skip("needs qemu-aarch64 (Debian package qemu-user); make test installs it")
	}
	dir := t.TempDir()
	here, arm := filepath.Join(dir, "here"), filepath.Join(dir, "arm64")
	build(t, here, runtime.GOOS, runtime.GOARCH)
	build(t, arm, "linux", "arm64")
	f, err := elf.Open(arm)
	require.NoError(t, err)
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries, "the binary is static")

	args := append([]string{"-logits"}, photos(t, dir)...)
	want := output(t, here, args...)
	got := output(t, qemu, append([]string{"-cpu", "cortex-a53", arm}, args...)...)
	assert.Equal(t, want, got)
	t.Logf("logits on both:\n%s", got)
}

func build(t *testing.T, out, system, arch string) {
	t.Helper()
	c := exec.Command("go", "build", "-o", out, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	text, err := c.CombinedOutput()
	require.NoError(t, err, string(text))
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	require.NoError(t, err)
	return string(out)
}

// photos unpacks a few images of the labelled sample.
func photos(t *testing.T, dir string) []string {
	t.Helper()
	c, err := dataset.Open(filepath.FromSlash("../../models/testdata/cifar10-200.zip"))
	require.NoError(t, err)
	defer c.Close()
	var paths []string
	for i, it := range dataset.Sample(c.Items(), 5) {
		data, err := it.Bytes()
		require.NoError(t, err)
		path := filepath.Join(dir, string(rune('a'+i))+".jpg")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		paths = append(paths, path)
	}
	return paths
}
