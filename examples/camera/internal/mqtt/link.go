package mqtt

import (
	"context"
	"sync"
)

// A link is what the sender knows of the connection: when there is one, and when
// it ends, which takes its acknowledgements with it.
type link struct {
	mu    sync.Mutex
	ready chan struct{} // closed while it is up
	end   chan struct{} // closed once it is down
}

func newLink() *link { return &link{ready: make(chan struct{})} }

func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = make(chan struct{})
	close(l.ready)
}

func (l *link) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.end)
	l.ready = make(chan struct{})
}

// wait waits for a connection and returns a context that ends with it.
func (l *link) wait(ctx context.Context) (context.Context, context.CancelFunc, error) {
	l.mu.Lock()
	ready := l.ready
	l.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	l.mu.Lock()
	end := l.end
	l.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-end:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel, nil
}
