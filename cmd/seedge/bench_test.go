package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/mobilenetv3"
	"github.com/seedge/seedge/sdk"
)

// quickly makes bench take no time.
var quickly = []string{"--warmup", "1", "--rounds", "2", "--iterations", "2"}

func TestBench(t *testing.T) {
	dir := newBench(t)
	isas := "generic"
	for _, isa := range kernel.ISAs()[1:] {
		isas += "," + isa.String()
	}
	t.Setenv(actAsSeedge, "1") // the cold start is this binary again
	out := seedge(t, dir, append([]string{"bench", "int8.safetensors", "--threads", "1,2", "--isa", isas, "--starts", "2", "--json"}, quickly...)...)
	b := asJSON[benchmark](t, out)
	assert.Equal(t, mobilenetv3.Small, b.Model)
	assert.Equal(t, runtime.NumCPU(), b.Machine.CPUs)
	require.Len(t, b.Configurations, 2*len(kernel.ISAs()))
	for i, c := range b.Configurations {
		assert.Equal(t, kernel.ISAs()[i/2].String(), c.ISA)
		assert.Equal(t, 1+i%2, c.Threads)
		assertOrder(t, c.quantiles)
		assert.Zero(t, c.Allocations)
		assert.InEpsilon(t, float64(b.MACs)/(c.Min*1e6), c.GMACs, 1e-9)
		assert.Positive(t, c.ArenaBytes)
		assert.Positive(t, c.WeightBytes)
		require.NotEmpty(t, c.Steps)
		share, macs := 0.0, int64(0)
		for _, s := range c.Steps {
			share += s.Share
			macs += s.MACs
		}
		assert.InDelta(t, 1, share, 1e-9)
		assert.Equal(t, b.MACs, macs)
	}
	assertOrder(t, b.Preprocess.quantiles)
	assert.Zero(t, b.Preprocess.Allocations)
	require.NotNil(t, b.ColdStart)
	assert.Equal(t, 2, b.ColdStart.Starts)
	assert.LessOrEqual(t, b.ColdStart.Min, b.ColdStart.Median)
	assert.Positive(t, b.ColdStart.Min)
	if runtime.GOOS == "linux" {
		assert.Greater(t, b.ColdStart.PeakResident, int64(1<<20))
	}
}

func assertOrder(t *testing.T, q quantiles) {
	t.Helper()
	assert.Positive(t, q.Min)
	assert.LessOrEqual(t, q.Min, q.Median)
	assert.LessOrEqual(t, q.Median, q.P99)
}

func TestBenchPrints(t *testing.T) {
	out := seedge(t, newBench(t), append([]string{"bench", "int8.safetensors", "--starts", "0", "--threads", "2"}, quickly...)...)
	for _, want := range []string{"MACs", "isa", "Steps, ", "2 threads", "stem", "bneck1.se", "classifier", "preprocessing", "640x480 BGR"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "cold start")
}

func TestBenchRandomNetwork(t *testing.T) {
	t.Setenv(actAsSeedge, "1")
	args := append([]string{"bench", "--arch", mobilenetv3.Small, "--width", "0.35", "--input", "40", "--starts", "1", "--json"}, quickly...)
	b := asJSON[benchmark](t, seedge(t, t.TempDir(), args...))
	assert.Equal(t, 40, b.Input.H)
	assert.Positive(t, b.ColdStart.Min)
	for _, c := range b.Configurations {
		assert.LessOrEqual(t, c.Threads, runtime.GOMAXPROCS(0), "the default")
	}
}

func TestBenchRefuses(t *testing.T) {
	dir := newBench(t)
	for _, c := range []struct{ args, want string }{
		{"float.safetensors", "seedge quantise"},
		{"none.safetensors", "none.safetensors"},
		{"int8.safetensors --isa sse9", `"sse9"`},
		{"int8.safetensors --threads 0", "--threads is 0"},
		{"int8.safetensors --rounds 0", "--rounds is 0"},
		{"int8.safetensors --iterations -1", "--iterations is -1"},
		{"int8.safetensors --warmup -1", "--warmup is -1"},
		{"int8.safetensors --starts -1", "--starts is -1"},
		{"int8.safetensors --arch mobilenet_v3_small", "one of them"},
		{"int8.safetensors --width 2", "--arch"},
		{"--arch resnet50", "resnet50"},
		{"--arch mobilenet_v3_small --input 16", "16"},
		{"", "seedge bench"},
	} {
		fails(t, dir, []string{c.want}, append([]string{"bench"}, strings.Fields(c.args)...)...)
	}
}

func TestFirstLabel(t *testing.T) {
	dir := newBench(t)
	files, err := os.ReadDir(filepath.Join(dir, "flat"))
	require.NoError(t, err)
	img := filepath.Join("flat", files[0].Name())
	got := asJSON[firstLabel](t, seedge(t, dir, "first-label", "int8.safetensors", img))
	m, err := sdk.Open(filepath.Join(dir, "int8.safetensors"))
	require.NoError(t, err)
	defer m.Close()
	picture, err := sdk.OpenImage(filepath.Join(dir, img))
	require.NoError(t, err)
	want, err := m.Classify(t.Context(), picture)
	require.NoError(t, err)
	assert.Equal(t, predictions(want)[0], got.prediction)
}

func TestQuantiles(t *testing.T) {
	var times []time.Duration
	for i := range 101 {
		times = append(times, time.Duration(100-i)*time.Millisecond)
	}
	assert.Equal(t, quantiles{0, 50, 99}, quantilesOf(times))
	assert.Equal(t, quantiles{7, 7, 7}, quantilesOf([]time.Duration{7 * time.Millisecond}))
}

// TestAllocationsAreSeen: the zero of the other tests means something.
func TestAllocationsAreSeen(t *testing.T) {
	var keep []byte
	assert.InDelta(t, 2, allocations(10, func() {
		for range 2 {
			keep = make([]byte, 1<<16)
		}
	}), 0.5)
	assert.NotNil(t, keep)
}
