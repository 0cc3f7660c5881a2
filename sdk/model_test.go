package sdk

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/safetensors"
)

func TestConcurrentUse(t *testing.T) {
	for _, p := range precisions {
		m := open(t, p, WithSessions(2))
		const images = 6
		want := make([][]Prediction, images)
		for i := range want {
			var err error
			want[i], err = m.Classify(t.Context(), picture(i, 40+i, 50))
			require.NoError(t, err)
		}
		assert.NotEqual(t, want[0], want[1])
		var wg sync.WaitGroup
		for worker := range 5 {
			wg.Go(func() {
				for i := range images {
					i = (i + worker) % images
					img := picture(i, 40+i, 50)
					got, err := m.Classify(t.Context(), img)
					assert.NoError(t, err)
					assert.Equal(t, want[i], got)
					_, err = m.Embed(t.Context(), img)
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, len(m.sessions.idle), 2)
	}
}

func TestContext(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Classify(ctx, picture(1, 40, 50))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, m.sessions.idle, "no work was begun")

	// The one session is busy: waiting for it ends with the context.
	img := newSlow()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := m.Classify(t.Context(), img)
		assert.NoError(t, err)
	})
	<-img.begun
	ctx, cancel = context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := m.Embed(ctx, picture(1, 40, 50))
		waiting <- err
	}()
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled)
	close(img.release)
	wg.Wait()
	_, err = m.Classify(t.Context(), picture(1, 40, 50))
	require.NoError(t, err)
}

func TestClose(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(2))
	img := newSlow()
	result := make(chan error, 1)
	go func() {
		_, err := m.Classify(t.Context(), img)
		result <- err
	}()
	<-img.begun
	closed := make(chan error, 1)
	go func() { closed <- m.Close() }()
	for {
		if _, err := m.Logits(t.Context(), picture(1, 40, 50)); err != nil {
			require.ErrorIs(t, err, ErrClosed)
			break
		}
	}
	select {
	case <-closed:
		t.Fatal("Close did not wait for the call in flight")
	default:
	}
	close(img.release)
	require.NoError(t, <-result)
	require.NoError(t, <-closed)
	require.NoError(t, m.Close())
	_, err := m.Embed(t.Context(), picture(1, 40, 50))
	require.ErrorIs(t, err, ErrClosed)
	assert.Equal(t, "mobilenet_v3_small", m.Info().Name)
}

// rogue is an image of an application that panics.
type rogue struct{ image.Image }

func (rogue) At(int, int) color.Color { panic("rogue") }

func TestPanickingImageLosesNoSession(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(1))
	assert.PanicsWithValue(t, "rogue", func() { _, _ = m.Classify(t.Context(), rogue{picture(1, 40, 50)}) })
	_, err := m.Classify(t.Context(), picture(1, 40, 50))
	require.NoError(t, err)
	require.NoError(t, m.Close())
}

func TestBadImages(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(1))
	_, err := m.Classify(t.Context(), nil)
	require.ErrorIs(t, err, ErrBadImage)
	_, err = m.Classify(t.Context(), image.NewRGBA(image.Rectangle{}))
	require.ErrorIs(t, err, ErrImageSize)
	short := picture(1, 40, 50)
	short.Pix = short.Pix[:100]
	_, err = m.Logits(t.Context(), short)
	require.ErrorIs(t, err, ErrBadImage)
	_, err = m.Classify(t.Context(), picture(1, 40, 50))
	require.NoError(t, err, "the session is not lost")
}

func TestOpenErrors(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)

	path := saved(t, modelfile.Int8)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := safetensors.Parse(bytes.Clone(whole))
	require.NoError(t, err)
	f.Metadata["seedge.version"] = "2.0"
	newer, err := safetensors.Encode(f)
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"text", []byte("not a model"), ErrFormat},
		{"newer", newer, ErrVersion},
		{"flipped", flipped, ErrChecksum},
		{"cut", whole[:len(whole)-3], ErrCorrupt},
	} {
		require.NoError(t, os.WriteFile(path, c.content, 0o644))
		m, err := Open(path)
		require.ErrorIs(t, err, c.want, c.name)
		assert.ErrorContains(t, err, path)
		assert.Nil(t, m)
	}
}

func TestOptions(t *testing.T) {
	path := saved(t, modelfile.Int8)
	for _, o := range []Option{WithTopK(0), WithSessions(-1), WithThreads(0), WithThreads(1025), WithLogger(nil)} {
		_, err := Open(path, o)
		require.ErrorIs(t, err, ErrOption)
	}
	var log strings.Builder
	m, err := Open(path, nil, WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.NoError(t, err)
	_, err = m.Classify(t.Context(), picture(1, 40, 50))
	require.NoError(t, err)
	require.NoError(t, m.Close())
	for _, want := range []string{"model opened", "precision=int8", "input=32x40", "new session", "model closed"} {
		assert.Contains(t, log.String(), want)
	}
}

// TestThreads: any number of threads gives the same logits, and Close ends them.
func TestThreads(t *testing.T) {
	before := runtime.NumGoroutine()
	var want []float32
	for threads := 1; threads <= 4; threads++ {
		m := open(t, modelfile.Int8, WithThreads(threads))
		got, err := m.Logits(t.Context(), picture(1, 40, 50))
		require.NoError(t, err)
		if threads == 1 {
			want = got
		}
		assert.Equal(t, want, got, "%d threads", threads)
		require.NoError(t, m.Close())
	}
	for range 1000 { // a goroutine that is done is counted for a moment
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestInfo(t *testing.T) {
	g, err := thin()
	require.NoError(t, err)
	m := open(t, modelfile.Float32)
	i := m.Info()
	assert.Equal(t, Info{
		Name: "mobilenet_v3_small", Precision: "float32", Width: 32, Height: 40, Classes: 7, Labels: labels,
		Features: g.Nodes[g.Features].Shape.C, Parameters: g.Total(nil).Params, MACs: g.Total(nil).MACs,
		Provenance: map[string]string{"source": "random"},
		Preprocess: Preprocess{
			Resize: 46, Interpolation: "bilinear",
			Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
		},
	}, i)
	i.Labels[0], i.Provenance["source"] = "changed", "changed"
	assert.Equal(t, "ant", m.Info().Labels[0])
	assert.Equal(t, "random", m.Info().Provenance["source"])
	assert.Equal(t, i.MACs, open(t, modelfile.Int8).Info().MACs)
}

func TestImages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.jpg")
	require.NoError(t, os.WriteFile(path, []byte("this is no picture"), 0o644))
	_, err := OpenImage(path)
	require.ErrorIs(t, err, ErrNotImage)
	assert.ErrorContains(t, err, path)
	_, err = DecodeImage(strings.NewReader("nor is this"))
	require.ErrorIs(t, err, ErrNotImage)
	_, err = OpenImage(filepath.Join(t.TempDir(), "none.png"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "none.png")
}
