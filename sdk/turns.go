package sdk

import "sync"

// turns hands out work in turn: as long as a source has anything to do, no other
// one gets two goes before it gets one.
type turns struct {
	mu     sync.Mutex
	filled sync.Cond
	queues [][]*slot // of each source, the oldest first; bounded by its slots
	next   int       // the source to ask first
	over   bool
}

func newTurns(sources, depth int) *turns {
	t := &turns{queues: make([][]*slot, sources)}
	for i := range t.queues {
		t.queues[i] = make([]*slot, 0, depth)
	}
	t.filled.L = &t.mu
	return t
}

// put queues a slot of a source. After end it reports false.
func (t *turns) put(source int, s *slot) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	t.queues[source] = append(t.queues[source], s)
	t.filled.Signal()
	return true
}

// take waits for a slot; nil means that there will be none.
func (t *turns) take() *slot {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.over {
		for i := range t.queues {
			at := (t.next + i) % len(t.queues)
			q := t.queues[at]
			if len(q) == 0 {
				continue
			}
			s := q[0]
			t.queues[at] = q[:copy(q, q[1:])]
			t.next = (at + 1) % len(t.queues)
			return s
		}
		t.filled.Wait()
	}
	return nil
}

// end wakes all who wait and returns what nobody took.
func (t *turns) end() (left []*slot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for i, q := range t.queues {
		left = append(left, q...)
		t.queues[i] = nil
	}
	t.filled.Broadcast()
	return left
}
