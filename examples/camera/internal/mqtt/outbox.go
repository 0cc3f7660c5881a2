package mqtt

import "sync"

// A message waits to be published.
type message struct {
	topic   string
	payload []byte
	number  uint64 // in order of arrival; tells a message from one that took its place
}

// An outbox holds what is still to be sent: of facts the last of each topic, and
// of events so many, in order.
type outbox struct {
	mu      sync.Mutex
	next    uint64
	facts   []fact
	events  []message // a ring
	first   int
	count   int
	dropped uint64
	wake    chan struct{} // has room for one: there may be something
}

// A fact is a topic whose last message alone matters.
type fact struct {
	message
	due bool
}

func newOutbox(events int) *outbox {
	return &outbox{events: make([]message, events), wake: make(chan struct{}, 1)}
}

// set makes payload the last message of a topic.
func (b *outbox) set(topic string, payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	f := fact{message{topic, payload, b.next}, true}
	for i := range b.facts {
		if b.facts[i].topic == topic {
			b.facts[i] = f
			b.signal()
			return
		}
	}
	b.facts = append(b.facts, f)
	b.signal()
}

// again makes all facts due: whoever is connected to now may know none of them.
func (b *outbox) again() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.facts {
		b.facts[i].due = true
	}
	b.signal()
}

// add puts an event behind the others. Where there is no room, the oldest goes.
func (b *outbox) add(topic string, payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	if b.count == len(b.events) {
		b.pop()
		b.dropped++
	}
	b.events[(b.first+b.count)%len(b.events)] = message{topic, payload, b.next}
	b.count++
	b.signal()
}

func (b *outbox) pop() {
	b.events[b.first] = message{}
	b.first = (b.first + 1) % len(b.events)
	b.count--
}

func (b *outbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// peek is what to send next: facts, then events.
func (b *outbox) peek() (m message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.facts {
		if b.facts[i].due {
			return b.facts[i].message, true
		}
	}
	if b.count > 0 {
		return b.events[b.first], true
	}
	return message{}, false
}

// sent removes what peek gave, unless something newer has taken its place.
func (b *outbox) sent(m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.facts {
		if b.facts[i].number == m.number {
			b.facts[i].due = false
			return
		}
	}
	if b.count > 0 && b.events[b.first].number == m.number {
		b.pop()
	}
}

// lost returns how many events have been dropped since it was last asked.
func (b *outbox) lost() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.dropped
	b.dropped = 0
	return n
}
