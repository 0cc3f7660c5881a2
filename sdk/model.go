package sdk

import (
	"context"
	"fmt"
	"image"
	"sync"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/modelfile"
)

// Model is an opened model. All its methods are safe for concurrent use.
type Model struct {
	info     Info
	options  options
	features bool
	prepare  func() (*preparer, error)
	sessions sessions
	pool     *engine.Pool // of an int8 model

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

// Open reads the model at path; the path "default" opens the embedded one, as
// OpenDefault does. Nothing of the file is used before all of it was validated.
func Open(path string, opts ...Option) (*Model, error) {
	if path == "default" {
		return OpenDefault(opts...)
	}
	file, err := modelfile.Read(path)
	if err != nil {
		return nil, fmt.Errorf("sdk: %w", err)
	}
	return newModel(file, opts)
}

func newModel(file *modelfile.Model, opts []Option) (*Model, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	m := &Model{info: newInfo(file), options: o}
	_, m.features = file.Features()
	var start func() (*session, error)
	if file.Precision == modelfile.Int8 {
		program, err := engine.Compile(file.Quantised)
		if err != nil {
			return nil, fmt.Errorf("sdk: %s: %w", file.Name, err)
		}
		table := inputTable(file.Preprocess, file.Quantised.Nodes[0].Out)
		m.prepare = func() (*preparer, error) { return newPreparer(file.Preprocess, &table) }
		m.pool = program.NewPool(o.threads)
		start = func() (*session, error) { return newIntSession(file.Preprocess, m.pool, &table) }
	} else {
		m.prepare = func() (*preparer, error) { return newPreparer(file.Preprocess, nil) }
		start = func() (*session, error) { return newFloatSession(file.Preprocess, file.Graph) }
	}
	m.sessions = newSessions(o.sessions, func() (*session, error) {
		o.log.Debug("seedge: new session", "model", file.Name)
		return start()
	})
	o.log.Info("seedge: model opened", "model", m.info.Name, "precision", m.info.Precision,
		"input", fmt.Sprintf("%dx%d", m.info.Width, m.info.Height), "classes", m.info.Classes, "parameters", m.info.Parameters)
	return m, nil
}

// Close waits for the calls in flight, ends the model's threads and frees its
// memory. Calls that
// begin later get ErrClosed. Closing again does nothing; the error is always nil.
func (m *Model) Close() error {
	m.mu.Lock()
	first := !m.closed
	m.closed = true
	m.mu.Unlock()
	m.calls.Wait()
	if first {
		m.sessions.drop()
		if m.pool != nil {
			m.pool.Close()
		}
		m.options.log.Debug("seedge: model closed", "model", m.info.Name)
	}
	return nil
}

func (m *Model) enter() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("sdk: %s: %w", m.info.Name, ErrClosed)
	}
	m.calls.Add(1)
	return nil
}

// begin runs the network on img in a session of its own, which the caller must
// hand to end.
func (m *Model) begin(ctx context.Context, img image.Image) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("sdk: %w", err)
	}
	if err := m.enter(); err != nil {
		return nil, err
	}
	s, err := m.sessions.acquire(ctx)
	if err != nil {
		m.calls.Done()
		return nil, fmt.Errorf("sdk: %w", err)
	}
	done := false
	defer func() {
		// Also when the image panics: it may be of the application's own type.
		if !done {
			m.end(s)
		}
	}()
	if err := s.run(img); err != nil {
		return nil, fmt.Errorf("sdk: %s: %w", m.info.Name, err)
	}
	done = true
	return s, nil
}

func (m *Model) end(s *session) {
	m.sessions.release(s)
	m.calls.Done()
}
