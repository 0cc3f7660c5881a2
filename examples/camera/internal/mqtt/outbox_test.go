package mqtt

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func drain(b *outbox) (all []string) {
	for m, ok := b.peek(); ok; m, ok = b.peek() {
		all = append(all, m.topic+"="+string(m.payload))
		b.sent(m)
	}
	return all
}

func TestOutboxKeepsTheNewest(t *testing.T) {
	b := newOutbox(3)
	for i := range 10 {
		b.add("r", fmt.Append(nil, i))
		require.LessOrEqual(t, b.count, 3)
	}
	assert.Equal(t, uint64(7), b.lost())
	assert.Zero(t, b.lost(), "told once")
	assert.Equal(t, []string{"r=7", "r=8", "r=9"}, drain(b))
	b.add("r", []byte("10"))
	assert.Equal(t, []string{"r=10"}, drain(b))
}

func TestOutboxKeepsTheLastFact(t *testing.T) {
	b := newOutbox(1)
	b.add("r", []byte("1"))
	b.set("s", []byte("a"))
	b.set("u", []byte("x"))
	b.set("s", []byte("b"))
	assert.Equal(t, []string{"s=b", "u=x", "r=1"}, drain(b), "facts first")
	b.again()
	assert.Equal(t, []string{"s=b", "u=x"}, drain(b))
}

// What comes while its predecessor is being sent is sent too.
func TestOutboxWhileSending(t *testing.T) {
	b := newOutbox(1)
	b.set("s", []byte("a"))
	m, _ := b.peek()
	b.set("s", []byte("b"))
	b.sent(m)
	assert.Equal(t, []string{"s=b"}, drain(b))
	b.add("r", []byte("1"))
	m, _ = b.peek()
	b.add("r", []byte("2"))
	b.sent(m)
	assert.Equal(t, []string{"r=2"}, drain(b))
}
