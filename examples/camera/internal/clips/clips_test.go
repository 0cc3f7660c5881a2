//go:build cgo && gocv_videoio

package clips

import (
	"context"
	"image"
	"image/color"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

var start = time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)

func recorder(t *testing.T, change func(*Options)) (*Recorder, string) {
	o := Options{Folder: filepath.Join(t.TempDir(), "clips"), Before: time.Second, After: 500 * time.Millisecond, Limit: 1 << 30, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	require.NoError(t, err)
	return r, o.Folder
}

// show lets a camera of 25 frames per second see label from second to second. The
// picture's grey is twice the number of the frame.
func show(t *testing.T, r *Recorder, name string, from, to float64, label string) {
	for n := int(from * 25); n < int(to*25); n++ {
		img := image.NewRGBA(image.Rect(0, 0, 64, 48))
		for i := range img.Pix {
			img.Pix[i] = byte(2 * n)
		}
		img.Set(0, 0, color.White)
		r.Observe(&watch.Observation{Camera: name, Time: start.Add(time.Duration(n) * 40 * time.Millisecond), Label: label}, img)
		// A real camera leaves the disk time.
		require.Eventually(t, func() bool { return len(r.track(name).work) < backlog/2 }, 20*time.Second, time.Millisecond)
	}
}

func clips(t *testing.T, folder string) (found []string) {
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	return found
}

// greys reads a clip back.
func greys(t *testing.T, path string) (all []int) {
	c, err := camera.Open(context.Background(), path)
	require.NoError(t, err)
	defer c.Close()
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		r, _, _, _ := f.At(32, 24).RGBA()
		all = append(all, int(r>>8))
	}
	return all
}

func TestClipWithPreroll(t *testing.T) {
	r, folder := recorder(t, func(o *Options) { o.Labels = []string{"tabby cat/x"} })
	show(t, r, "door", 0, 2, "")
	show(t, r, "door", 2, 2.4, "tabby cat/x")
	show(t, r, "door", 2.4, 4, "dog") // not one of the labels
	require.NoError(t, r.Close())
	found := clips(t, folder)
	require.Len(t, found, 1)
	assert.Regexp(t, `^clip-door-20250304T05060\d\.\d{3}-tabby_cat_x\.avi$`, filepath.Base(found[0]))
	got := greys(t, found[0])
	// From one second before the sighting (frame 50) until half a second after
	// its last frame (59), ten frames a second.
	assert.InDelta(t, 2*25, got[0], 10)
	assert.InDelta(t, 2*(59+12), got[len(got)-1], 10)
	assert.InDelta(t, 19, len(got), 3)
	assert.IsIncreasing(t, got)
	assert.Zero(t, r.Lost())
}

func TestSightingsApartAreTwoClips(t *testing.T) {
	r, folder := recorder(t, nil)
	show(t, r, "door", 0, 1, "cat")
	show(t, r, "door", 1, 1.3, "")
	show(t, r, "door", 1.3, 1.5, "dog") // within the half second after: the same clip
	show(t, r, "door", 1.5, 3, "")
	show(t, r, "door", 3, 3.5, "cat")
	show(t, r, "yard", 0, 0.5, "cat")
	require.NoError(t, r.Close())
	assert.Len(t, clips(t, folder), 3)
}

func TestFolderIsBounded(t *testing.T) {
	r, folder := recorder(t, func(o *Options) { o.Limit = 60_000; o.After = 100 * time.Millisecond; o.Before = 0 })
	other := filepath.Join(folder, "holiday.avi")
	require.NoError(t, os.WriteFile(other, make([]byte, 100_000), 0o600))
	for i := range 12 {
		show(t, r, "door", float64(2*i), float64(2*i)+1, "cat")
		show(t, r, "door", float64(2*i)+1, float64(2*i)+1.5, "")
	}
	require.NoError(t, r.Close())
	r.tidy()
	var total int64
	n := 0
	for _, p := range clips(t, folder) {
		if p != other {
			info, err := os.Stat(p)
			require.NoError(t, err)
			total += info.Size()
			n++
		}
	}
	assert.LessOrEqual(t, total, int64(60_000))
	assert.Greater(t, n, 0)
	assert.Less(t, n, 12)
	assert.FileExists(t, other, "what is not ours stays")
}

func TestUnfinishedClipsAreRemoved(t *testing.T) {
	folder := t.TempDir()
	left := filepath.Join(folder, ".clip-door-x.avi.123.avi")
	require.NoError(t, os.WriteFile(left, nil, 0o600))
	_, err := New(Options{Folder: folder, Limit: 1})
	require.NoError(t, err)
	assert.NoFileExists(t, left)
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = New(Options{Folder: file})
	assert.Error(t, err)
}

// A disk that takes nothing costs frames of the clip, and never the loop's time.
func TestSlowDisk(t *testing.T) {
	r, _ := recorder(t, nil)
	tr := &track{name: "door", work: make(chan job, 8), free: make(chan *moment, 1), done: make(chan struct{})}
	r.tracks["door"] = tr // nobody writes
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for n := range 100 {
		r.Observe(&watch.Observation{Camera: "door", Time: start.Add(time.Duration(n) * 200 * time.Millisecond), Label: "cat"}, img)
	}
	assert.Positive(t, r.Lost())
	assert.LessOrEqual(t, len(tr.work), 8)
}
