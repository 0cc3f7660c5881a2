package broker

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"
)

// Retained returns what the broker keeps for newcomers, by topic.
func (b *Broker) Retained() map[string]string {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.Address)
	require.NoError(b.t, err)
	defer conn.Close()
	var mu sync.Mutex
	kept := map[string]string{}
	end := make(chan struct{})
	const last = "end of what is kept"
	c := paho.NewClient(paho.ClientConfig{Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(m paho.PublishReceived) (bool, error) {
			if m.Packet.Topic == last {
				close(end)
				return true, nil
			}
			mu.Lock()
			defer mu.Unlock()
			kept[m.Packet.Topic] = string(m.Packet.Payload)
			return true, nil
		},
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = c.Connect(ctx, &paho.Connect{ClientID: "retained", KeepAlive: 30, CleanStart: true})
	require.NoError(b.t, err)
	_, err = c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}})
	require.NoError(b.t, err)
	// The broker sends what it keeps before what comes after the subscription.
	_, err = c.Publish(ctx, &paho.Publish{Topic: last, QoS: 1})
	require.NoError(b.t, err)
	select {
	case <-end:
	case <-ctx.Done():
		require.Fail(b.t, "the broker does not answer")
	}
	mu.Lock()
	defer mu.Unlock()
	return kept
}
