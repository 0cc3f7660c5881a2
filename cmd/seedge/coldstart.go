package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/sdk"
)

// coldStart is of processes that open the model and classify one image.
type coldStart struct {
	Starts int     `json:"starts"`
	Min    float64 `json:"min_ms"`
	Median float64 `json:"median_ms"`
	// PeakResident is the largest resident memory of any of them, in bytes; 0
	// where the system does not tell.
	PeakResident int64 `json:"peak_resident_bytes"`
}

// firstLabel is what such a process prints once it has a result.
type firstLabel struct {
	prediction
	PeakResident int64 `json:"peak_resident_bytes"`
}

// firstLabelCommand is what bench starts. It does what examples/classify does.
func (a *app) firstLabelCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "first-label MODEL IMAGE",
		Short:  "Classify one image; what bench measures the cold start with",
		Args:   exactly("MODEL", "IMAGE"),
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			m, err := sdk.Open(args[0], sdk.WithTopK(1))
			if err != nil {
				return err
			}
			defer m.Close()
			img, err := sdk.OpenImage(args[1])
			if err != nil {
				return err
			}
			p, err := m.Classify(c.Context(), img)
			if err != nil {
				return err
			}
			return a.emitLine(firstLabel{predictions(p)[0], peakResident()})
		},
	}
}

// peakResident is the most memory this process has had resident, in bytes, or 0
// where /proc does not say. (The figure that a parent gets when a child ends
// will not do: Linux counts the parent's own memory into it.)
func peakResident() int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for l := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// startCold starts processes one after the other, each from nothing but what the
// system keeps of its files.
func startCold(ctx context.Context, model string, starts int) (*coldStart, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "seedge-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	picture := filepath.Join(dir, "frame.jpg")
	var data bytes.Buffer
	if err := jpeg.Encode(&data, newFrame(), nil); err != nil {
		return nil, err
	}
	if err := os.WriteFile(picture, data.Bytes(), 0o600); err != nil {
		return nil, err
	}
	c := &coldStart{Starts: starts}
	var times []time.Duration
	for range starts {
		took, label, err := start(ctx, self, model, picture)
		if err != nil {
			return nil, fmt.Errorf("cold start: %w", err)
		}
		times = append(times, took)
		c.PeakResident = max(c.PeakResident, label.PeakResident)
	}
	q := quantilesOf(times)
	c.Min, c.Median = q.Min, q.Median
	return c, nil
}

// start runs one process and takes the time until its label has arrived.
func start(ctx context.Context, self, model, picture string) (took time.Duration, label firstLabel, err error) {
	cmd := exec.CommandContext(ctx, self, "first-label", model, picture)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, label, err
	}
	before := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, label, err
	}
	malformed := json.NewDecoder(out).Decode(&label)
	took = time.Since(before)
	if err := cmd.Wait(); err != nil {
		return 0, label, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return took, label, malformed
}
