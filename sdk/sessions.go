package sdk

import (
	"context"
	"sync"
)

// sessions lends up to a fixed number of sessions, made when first needed.
type sessions struct {
	start func() (*session, error)
	slots chan struct{} // one element per session lent

	mu   sync.Mutex
	idle []*session // the latest used is last: its memory is warm
}

func newSessions(n int, start func() (*session, error)) sessions {
	return sessions{start: start, slots: make(chan struct{}, n)}
}

// acquire waits for a session, or for the context to end.
func (p *sessions) acquire(ctx context.Context) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	s, err := p.start()
	if err != nil {
		<-p.slots
	}
	return s, err
}

func (p *sessions) release(s *session) {
	p.mu.Lock()
	p.idle = append(p.idle, s)
	p.mu.Unlock()
	<-p.slots
}

// drop frees what is idle. The caller knows that nothing is lent any more.
func (p *sessions) drop() {
	p.mu.Lock()
	p.idle, p.start = nil, nil
	p.mu.Unlock()
}
