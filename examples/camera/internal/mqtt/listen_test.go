package mqtt

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"
)

// heard is what a subscriber to everything has been told, by topic and in order.
type heard struct {
	mu  sync.Mutex
	all map[string][]string
}

func (h *heard) of(topic string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.all[topic]...)
}

// last is the newest message of a topic.
func (h *heard) last(topic string) string {
	all := h.of(topic)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// until waits for a topic's newest message.
func (h *heard) until(t *testing.T, topic, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return h.last(topic) == want }, 15*time.Second, 5*time.Millisecond, "%s: want %q, have %q", topic, want, fmt.Sprint(h.of(topic)))
}

// listen subscribes to all topics, over a connection of its own.
func listen(t *testing.T, conn net.Conn, user, password string) *heard {
	t.Helper()
	h := &heard{all: map[string][]string{}}
	c := paho.NewClient(paho.ClientConfig{Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(m paho.PublishReceived) (bool, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.all[m.Packet.Topic] = append(h.all[m.Packet.Topic], string(m.Packet.Payload))
			return true, nil
		},
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := c.Connect(ctx, &paho.Connect{ClientID: "listener", KeepAlive: 30, CleanStart: true,
		Username: user, UsernameFlag: user != "", Password: []byte(password), PasswordFlag: user != ""})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}})
	require.NoError(t, err)
	return h
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	return c
}
