package sdk

import (
	"context"
	"errors"
	"image"
	"image/color"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
)

// lentFrame is a camera's frame: it changes when the next one is asked for.
type lentFrame struct {
	*image.RGBA
	bgr      []byte
	captured time.Time
	number   uint64
}

func (f *lentFrame) BGR() ([]byte, int) { return f.bgr, 3 * f.Rect.Dx() }

func (f *lentFrame) Stamp() (time.Time, uint64, uint64) { return f.captured, f.number, 2 }

func (f *lentFrame) set(img *image.RGBA, number int) {
	f.RGBA, f.number, f.captured = img, uint64(number), time.Now()
	b := img.Bounds()
	f.bgr = f.bgr[:0]
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := img.RGBAAt(x, y)
			f.bgr = append(f.bgr, c.B, c.G, c.R)
		}
	}
}

// lender gives frames of pictures in turn, all through one buffer.
func lender(pictures []*image.RGBA, n int) func(context.Context) iter.Seq2[*lentFrame, error] {
	return func(ctx context.Context) iter.Seq2[*lentFrame, error] {
		return func(yield func(*lentFrame, error) bool) {
			var f lentFrame
			for i := range n {
				if ctx.Err() != nil {
					yield(nil, ctx.Err())
					return
				}
				f.set(pictures[i%len(pictures)], i)
				if !yield(&f, nil) {
					return
				}
			}
		}
	}
}

func pictures(n int) (all []*image.RGBA) {
	for i := range n {
		all = append(all, picture(i, 40+i, 50))
	}
	return all
}

func TestPipelineIsClassify(t *testing.T) {
	for _, p := range precisions {
		m := open(t, p, WithTopK(2), WithSessions(3))
		all := pictures(5)
		var want [][]Prediction
		for _, img := range all {
			w, err := m.Classify(t.Context(), img)
			require.NoError(t, err)
			want = append(want, w)
		}
		pipe, err := NewPipeline(m, From("lent", lender(all, 30)), Source{Name: "kept", Frames: func(context.Context) iter.Seq2[image.Image, error] {
			return func(yield func(image.Image, error) bool) {
				for i := range 30 {
					if !yield(all[i%5], nil) {
						return
					}
				}
			}
		}})
		require.NoError(t, err)
		next := []int{0, 0}
		for r, err := range pipe.Results(t.Context()) {
			require.NoError(t, err)
			i := next[r.Source]
			require.Equal(t, i, r.Index, "in order")
			require.EqualValues(t, i, r.Sequence)
			require.Equal(t, want[i%5], r.Predictions, "source %d frame %d", r.Source, i)
			require.Equal(t, []string{"lent", "kept"}[r.Source], r.Name)
			require.Equal(t, uint64(2-2*r.Source), r.Dropped)
			require.Equal(t, all[i%5].Bounds(), r.Image.Bounds())
			require.Equal(t, all[i%5].At(3, 4), r.Image.At(3, 4), "the image is the frame's")
			require.Positive(t, r.Latency)
			require.Positive(t, r.Stages.Preprocess)
			require.Positive(t, r.Stages.Inference)
			require.GreaterOrEqual(t, r.Latency, r.Elapsed)
			next[r.Source]++
		}
		assert.Equal(t, []int{30, 30}, next)
	}
}

func TestPipelineRegion(t *testing.T) {
	m := open(t, modelfile.Int8)
	img := picture(3, 60, 60)
	region := image.Rect(10, 15, 45, 58)
	want, err := m.Classify(t.Context(), img.SubImage(region))
	require.NoError(t, err)
	lent := From("", lender([]*image.RGBA{img}, 1))
	kept := Source{Frames: func(context.Context) iter.Seq2[image.Image, error] { return source(frame{img, nil}) }}
	opaque := Source{Frames: func(context.Context) iter.Seq2[image.Image, error] {
		return source(frame{struct{ image.Image }{img}, nil})
	}}
	for _, s := range []Source{lent, kept, opaque} {
		s.Region = region
		p, err := NewPipeline(m, s)
		require.NoError(t, err)
		n := 0
		for r, err := range p.Results(t.Context()) {
			require.NoError(t, err)
			assert.Equal(t, want, r.Predictions)
			assert.Equal(t, img.Bounds(), r.Image.Bounds(), "the image is whole")
			n++
		}
		assert.Equal(t, 1, n)
		s.Region = image.Rect(100, 100, 120, 120)
		p, err = NewPipeline(m, s)
		require.NoError(t, err)
		for _, err := range p.Results(t.Context()) {
			assert.ErrorIs(t, err, ErrOption)
		}
	}
}

// Errors keep their place in the order, and nothing ends for them.
func TestPipelineErrors(t *testing.T) {
	m := open(t, modelfile.Int8)
	glitch := errors.New("glitch")
	a := picture(1, 40, 50)
	p, err := NewPipeline(m, Source{Name: "x", Frames: func(context.Context) iter.Seq2[image.Image, error] {
		return source(frame{a, nil}, frame{nil, glitch}, frame{nil, nil}, frame{image.NewRGBA(image.Rectangle{}), nil}, frame{a, nil})
	}})
	require.NoError(t, err)
	var errs []error
	for r, err := range p.Results(t.Context()) {
		assert.Equal(t, len(errs), r.Index)
		assert.Equal(t, "x", r.Name)
		assert.Equal(t, err == nil, len(r.Predictions) > 0)
		errs = append(errs, err)
	}
	require.Len(t, errs, 5)
	assert.NoError(t, errs[0])
	assert.Equal(t, glitch, errs[1])
	assert.ErrorIs(t, errs[2], ErrBadImage)
	assert.ErrorIs(t, errs[3], ErrImageSize)
	assert.NoError(t, errs[4])
}

func TestNewPipelineRefuses(t *testing.T) {
	m := open(t, modelfile.Int8)
	_, err := NewPipeline(nil, From("", lender(pictures(1), 1)))
	assert.ErrorIs(t, err, ErrOption)
	_, err = NewPipeline(m)
	assert.ErrorIs(t, err, ErrOption)
	_, err = NewPipeline(m, Source{Name: "door"})
	assert.ErrorIs(t, err, ErrOption)
	assert.ErrorContains(t, err, "door")
}

// silent gives no frame until its context ends.
func silent(ended *atomic.Bool) Source {
	return Source{Name: "silent", Frames: func(ctx context.Context) iter.Seq2[image.Image, error] {
		return func(yield func(image.Image, error) bool) {
			<-ctx.Done()
			yield(nil, ctx.Err())
			ended.Store(true)
		}
	}}
}

// However it ends, all of it does, and nothing is left behind.
func TestPipelineEnds(t *testing.T) {
	m := open(t, modelfile.Int8)
	before := runtime.NumGoroutine()
	for name, end := range map[string]func(cancel context.CancelFunc) (leave bool){
		"break":  func(context.CancelFunc) bool { return true },
		"cancel": func(cancel context.CancelFunc) bool { cancel(); return false },
	} {
		var ended atomic.Bool
		p, err := NewPipeline(m, From("", lender(pictures(2), 1<<30)), silent(&ended))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		n := 0
		for _, err := range p.Results(ctx) {
			if last = err; err != nil {
				continue
			}
			if n++; n == 5 && end(cancel) {
				break
			}
		}
		cancel()
		if name == "cancel" {
			assert.ErrorIs(t, last, context.Canceled, name)
		}
		assert.True(t, ended.Load(), "%s: a source still runs", name)
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		assert.LessOrEqual(t, runtime.NumGoroutine(), before, "%s: goroutines", name)
	}
	// Nobody holds the model any more.
	closed := make(chan struct{})
	go func() { _ = m.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Fatal("a slot still holds the model")
	}
	p, err := NewPipeline(m, From("", lender(pictures(1), 1<<30)))
	require.NoError(t, err)
	var errs []error
	for _, err := range p.Results(t.Context()) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], ErrClosed)
}

func TestPipelineOneLoop(t *testing.T) {
	m := open(t, modelfile.Int8)
	p, err := NewPipeline(m, From("", lender(pictures(1), 2)))
	require.NoError(t, err)
	for range p.Results(t.Context()) {
		for _, err := range p.Results(t.Context()) {
			assert.ErrorIs(t, err, ErrBusy)
		}
	}
	n := 0
	for range p.Results(t.Context()) { // and again, from the beginning
		n++
	}
	assert.Equal(t, 2, n)
}

// While the loop holds a result, at most the slots fill up: a source is not read
// on and on.
func TestPipelineIsBounded(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(2))
	var asked atomic.Int64
	p, err := NewPipeline(m, Source{Frames: func(context.Context) iter.Seq2[image.Image, error] {
		img := picture(1, 40, 50)
		return func(yield func(image.Image, error) bool) {
			for asked.Add(1); yield(img, nil); asked.Add(1) {
			}
		}
	}})
	require.NoError(t, err)
	for range p.Results(t.Context()) {
		require.Eventually(t, func() bool { return asked.Load() == 4 }, 10*time.Second, time.Millisecond, "it works ahead of a busy loop")
		time.Sleep(50 * time.Millisecond)
		assert.EqualValues(t, 4, asked.Load(), "two sessions, one to prepare, one in the loop")
		break
	}
}

// A source that floods the pipeline does not starve the others.
func TestTurns(t *testing.T) {
	q := newTurns(3, 100)
	slots := map[*slot]int{}
	put := func(source, n int) {
		for range n {
			s := &slot{}
			slots[s] = source
			require.True(t, q.put(source, s))
		}
	}
	put(0, 50)
	put(1, 2)
	put(2, 3)
	var got []int
	for range 8 {
		got = append(got, slots[q.take()])
	}
	assert.Equal(t, []int{0, 1, 2, 0, 1, 2, 0, 2}, got)
	put(1, 1)
	assert.Equal(t, 0, slots[q.take()])
	assert.Equal(t, 1, slots[q.take()])
	assert.Len(t, q.end(), 46)
	assert.Nil(t, q.take())
	assert.False(t, q.put(0, &slot{}))
}

func TestPipelineSwap(t *testing.T) {
	one, other := open(t, modelfile.Int8, WithTopK(1)), open(t, modelfile.Float32, WithTopK(3))
	p, err := NewPipeline(one, From("", lender(pictures(3), 1<<30)))
	require.NoError(t, err)
	n := 0
	for r, err := range p.Results(t.Context()) {
		require.NoError(t, err, "no frame fails for it")
		if n++; n == 5 {
			assert.Len(t, r.Predictions, 1)
			before := p.Swap(other)
			assert.Same(t, one, before)
			go func() { _ = before.Close() }() // waits for the frames in its hands
		}
		if len(r.Predictions) == 3 {
			assert.Greater(t, n, 5)
			break
		}
		require.Less(t, n, 100, "the other model never came")
	}
}

func TestPipelineAllocatesNothingPerFrame(t *testing.T) {
	m := open(t, modelfile.Int8)
	all := pictures(1)
	p, err := NewPipeline(m, From("a", lender(all, 1<<30)), From("b", lender(all, 1<<30)))
	require.NoError(t, err)
	var before, after runtime.MemStats
	n := 0
	for r, err := range p.Results(t.Context()) {
		require.NoError(t, err)
		_ = r
		switch n++; n {
		case 100:
			runtime.ReadMemStats(&before)
		case 1100:
			runtime.ReadMemStats(&after)
		}
		if n == 1100 {
			break
		}
	}
	// One allocation per frame would be 1,000. The runtime has its own, for goroutines that wait: more of them the
	// busier the machine is.
	assert.Less(t, after.Mallocs-before.Mallocs, uint64(500))
}

func TestShot(t *testing.T) {
	img := picture(2, 7, 5)
	var f lentFrame
	f.set(img, 0)
	var s shot
	require.NoError(t, s.copyFrom(f.Bounds(), &f))
	f.bgr[0]++
	for y := range 5 {
		for x := range 7 {
			require.Equal(t, img.At(x, y), s.At(x, y))
			require.Equal(t, color.RGBA64Model.Convert(img.At(x, y)), s.RGBA64At(x, y))
		}
	}
	assert.Equal(t, color.RGBA{}, s.RGBAAt(7, 0))
	assert.True(t, s.Opaque())
	assert.Equal(t, color.RGBAModel, s.ColorModel())
	var v shot
	v.view(&s, image.Rect(2, 1, 6, 4))
	assert.Equal(t, image.Rect(0, 0, 4, 3), v.Bounds())
	assert.Equal(t, img.At(5, 3), v.At(3, 2))
	for _, bad := range []*lentFrame{{RGBA: img}, {RGBA: img, bgr: f.bgr[:len(f.bgr)-1]}} {
		assert.ErrorIs(t, s.copyFrom(img.Bounds(), bad), ErrBadImage)
	}
}

// Several pipelines and calls share a model.
func TestPipelineBesideOthers(t *testing.T) {
	m := open(t, modelfile.Int8, WithSessions(2))
	all := pictures(2)
	want, err := m.Classify(t.Context(), all[1])
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			p, err := NewPipeline(m, From("", lender(all, 40)))
			assert.NoError(t, err)
			for r, err := range p.Results(t.Context()) {
				assert.NoError(t, err)
				if r.Index%2 == 1 && !slices.Equal(want, r.Predictions) {
					t.Error("another frame's predictions")
				}
			}
		})
	}
	for range 20 {
		got, err := m.Classify(t.Context(), all[1])
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	group.Wait()
}
