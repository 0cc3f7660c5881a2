package sdk

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedge/seedge/internal/preprocess"
)

// A Pipeline classifies the frames of several sources at once. Of each source
// one goroutine asks for frames and copies them and one preprocesses; the
// model's sessions are shared by all, and a busy source never keeps the others
// from their turn. Queues are bounded and nothing is allocated per frame: a
// source that is faster than the model is asked less often, and a live camera
// then leaves out old frames.
type Pipeline struct {
	sources []Source
	model   atomic.Pointer[Model]
	running atomic.Bool
}

// NewPipeline makes a pipeline of a model and one or more sources. It starts
// nothing; Results does. Errors wrap ErrOption.
func NewPipeline(m *Model, sources ...Source) (*Pipeline, error) {
	if m == nil {
		return nil, fmt.Errorf("sdk: %w: the pipeline's model is nil", ErrOption)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("sdk: %w: a pipeline without sources", ErrOption)
	}
	for i, s := range sources {
		if s.Frames == nil {
			return nil, fmt.Errorf("sdk: %w: source %d (%q) has no frames", ErrOption, i, s.Name)
		}
	}
	p := &Pipeline{sources: append([]Source(nil), sources...)}
	p.model.Store(m)
	return p, nil
}

// Swap makes another model classify the frames that are yet to be preprocessed,
// and returns the one before it, for the caller to close; frames in the middle
// are finished by the model that began them. The number of frames classified at
// once stays that of the first model's WithSessions.
func (p *Pipeline) Swap(m *Model) (before *Model) { return p.model.Swap(m) }

// Results runs the pipeline. The results of each source come in the order of its
// frames, each with its latency from capture to result; sources take turns.
//
// Errors of a source, and about a frame that cannot be classified, come in that
// order too, with Result.Source and Name set; the pipeline goes on after them. It
// ends when all sources have ended, when the loop breaks, or with an error that
// wraps ctx.Err(), ErrClosed when the model has been closed, or ErrBusy when
// another loop is running. It leaves no goroutine behind: all have ended when the
// loop has, which takes as long as the slowest source needs to notice its ctx.
func (p *Pipeline) Results(ctx context.Context) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		if !p.running.CompareAndSwap(false, true) {
			yield(Result{}, fmt.Errorf("sdk: %w", ErrBusy))
			return
		}
		defer p.running.Store(false)
		run := p.start(ctx)
		defer run.stop()
		for {
			select {
			case s, more := <-run.out:
				if !more {
					if err := ctx.Err(); err != nil {
						yield(Result{}, fmt.Errorf("sdk: %w", err))
					}
					return
				}
				closed := errors.Is(s.err, ErrClosed)
				s.result.Latency = time.Since(s.result.Captured)
				s.result.Stages.Queue = time.Since(s.arrived) - s.result.Stages.Copy - s.result.Elapsed
				if !yield(s.result, s.err) || closed {
					return
				}
				run.free[s.result.Source] <- s
			case <-ctx.Done():
				yield(Result{}, fmt.Errorf("sdk: %w", ctx.Err()))
				return
			}
		}
	}
}

// A slot carries one frame through the pipeline. Slots and their memory go round.
type slot struct {
	result  Result
	err     error
	arrived time.Time
	frame   shot        // the copy of a lent frame
	region  shot        // part of it
	show    image.Image // what is classified
	input   input
	model   *Model        // that it was prepared for and that it holds open; nil if none
	done    chan struct{} // has an element when the result is there
}

// A flow is one run of a pipeline.
type flow struct {
	*Pipeline
	ctx    context.Context
	cancel context.CancelFunc
	free   []chan *slot // of each source: slots to fill
	turns  *turns
	out    chan *slot
	all    sync.WaitGroup
}

func (p *Pipeline) start(ctx context.Context) *flow {
	workers := p.model.Load().options.sessions
	n := len(p.sources)
	// A slot for each worker there may be, one for what is being captured or
	// preprocessed, and one in the loop's hands. More would only make frames old.
	depth := (workers+n-1)/n + 2
	f := &flow{Pipeline: p, free: make([]chan *slot, n), turns: newTurns(n, depth), out: make(chan *slot)}
	f.ctx, f.cancel = context.WithCancel(ctx)
	var delivery sync.WaitGroup
	for i := range p.sources {
		f.free[i] = make(chan *slot, depth)
		for range depth {
			f.free[i] <- &slot{done: make(chan struct{}, 1)}
		}
		captured, ordered := make(chan *slot, depth), make(chan *slot, depth)
		f.all.Go(func() { f.capture(i, captured) })
		f.all.Go(func() { f.prepare(i, captured, ordered) })
		delivery.Go(func() { f.deliver(ordered) })
	}
	for range workers {
		f.all.Go(f.infer)
	}
	f.all.Go(func() {
		delivery.Wait()
		close(f.out)
	})
	return f
}

// stop ends all goroutines and waits for them.
func (f *flow) stop() {
	f.cancel()
	for _, s := range f.turns.end() {
		s.leave()
	}
	f.all.Wait()
}

// capture asks a source for frames. It takes a slot before it asks, so that a
// live source gives its newest frame when there is time for it.
func (f *flow) capture(source int, captured chan<- *slot) {
	defer close(captured)
	src := &f.sources[source]
	s, ok := f.slot(source)
	if !ok {
		return
	}
	index := 0
	asked := time.Now()
	for img, err := range src.Frames(f.ctx) {
		if f.ctx.Err() != nil {
			return
		}
		s.fill(src, source, index, img, err, asked)
		index++
		captured <- s
		if s, ok = f.slot(source); !ok {
			return
		}
		asked = time.Now()
	}
}

func (f *flow) slot(source int) (*slot, bool) {
	select {
	case s := <-f.free[source]:
		return s, true
	case <-f.ctx.Done():
		return nil, false
	}
}

// fill takes a frame in.
func (s *slot) fill(src *Source, source, index int, img image.Image, err error, asked time.Time) {
	now := time.Now()
	s.arrived, s.err, s.model, s.show = now, err, nil, nil
	s.result = Result{Source: source, Name: src.Name, Index: index, Captured: now, Predictions: s.result.Predictions[:0]}
	s.result.Stages.Source = now.Sub(asked)
	if err != nil {
		return
	}
	if img == nil {
		s.err = fmt.Errorf("sdk: %w: the source's frame is nil", ErrBadImage)
		return
	}
	s.result.stamp(img, now)
	region := img.Bounds()
	if !src.Region.Empty() {
		if region = src.Region.Intersect(region); region.Empty() {
			s.err = fmt.Errorf("sdk: %w: the region %v lies outside of a frame of %v", ErrOption, src.Region, img.Bounds())
			return
		}
	}
	whole := region == img.Bounds()
	if lent, ok := img.(preprocess.BGR); ok {
		b := img.Bounds()
		if s.err = s.frame.copyFrom(b, lent); s.err != nil {
			s.err = fmt.Errorf("sdk: %w", s.err)
			return
		}
		s.result.Image, s.show = &s.frame, &s.frame
		if !whole {
			s.region.view(&s.frame, region.Sub(b.Min))
			s.show = &s.region
		}
	} else if s.show = img; !whole {
		s.show = cut(img, region)
	}
	s.result.Stages.Copy = time.Since(now)
}

// prepare preprocesses a source's frames and sends them for inference. It fixes
// the order in which they are delivered.
func (f *flow) prepare(source int, captured <-chan *slot, ordered chan<- *slot) {
	defer close(ordered)
	var of *Model
	var p *preparer
	for s := range captured {
		if s.err == nil {
			s.err = f.prepareOne(s, &of, &p)
		}
		ordered <- s
		if s.err != nil {
			s.done <- struct{}{}
		} else if !f.turns.put(source, s) {
			s.leave()
			return
		}
	}
}

// prepareOne prepares a slot for the model of this moment, which it holds open.
func (f *flow) prepareOne(s *slot, of **Model, p **preparer) error {
	start := time.Now()
	m := f.model.Load()
	if err := m.enter(); err != nil {
		return err
	}
	s.model = m
	var err error
	if *of != m {
		if *p, err = m.prepare(); err == nil {
			*of = m
		}
	}
	if err == nil {
		err = (*p).prepare(&s.input, s.show)
	}
	if err != nil {
		s.leave()
		return fmt.Errorf("sdk: %s: %w", m.info.Name, err)
	}
	s.result.Stages.Preprocess = time.Since(start)
	return nil
}

// leave lets go of the model.
func (s *slot) leave() {
	if s.model != nil {
		s.model.calls.Done()
		s.model = nil
	}
}

// infer runs the network on whatever is next.
func (f *flow) infer() {
	for s := f.turns.take(); s != nil; s = f.turns.take() {
		s.err = f.inferOne(s)
		s.leave()
		s.done <- struct{}{}
	}
}

func (f *flow) inferOne(s *slot) error {
	m := s.model
	session, err := m.sessions.acquire(f.ctx)
	if err != nil {
		return fmt.Errorf("sdk: %w", err)
	}
	defer m.sessions.release(session)
	start := time.Now()
	if err := session.infer(&s.input); err != nil {
		return fmt.Errorf("sdk: %s: %w", m.info.Name, err)
	}
	s.result.Predictions = m.predictions(session, s.result.Predictions)
	s.result.Stages.Inference = time.Since(start)
	s.result.Elapsed = s.result.Stages.Preprocess + s.result.Stages.Inference
	return nil
}

// deliver hands on a source's results in order.
func (f *flow) deliver(ordered <-chan *slot) {
	for s := range ordered {
		select {
		case <-s.done:
		case <-f.ctx.Done():
			return
		}
		select {
		case f.out <- s:
		case <-f.ctx.Done():
			return
		}
	}
}
