package mqtt

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// Options say where to publish, and what.
type Options struct {
	Server    *url.URL // mqtt://host:port or mqtts://host:port
	TLS       *tls.Config
	Username  string
	Password  string
	Topic     string        // before all topics; also what the client calls itself
	Discovery string        // Home Assistant's prefix; "": no discovery
	Interval  time.Duration // of results while the label stays; 0: every result
	Queue     int           // results kept while there is no broker
	Cameras   []string
	Log       *slog.Logger
}

const (
	// keepAlive, in seconds: after one and a half times as much silence, a broker
	// tells the last will of a machine that has vanished.
	keepAlive = 20
	// farewell is how long Close waits for what is still to be sent.
	farewell = 2 * time.Second
	// ackTimeout is how long the broker may take to acknowledge a message.
	ackTimeout = 10 * time.Second
)

// A Publisher is a watch.Sink and a watch.StatusSink.
type Publisher struct {
	o      Options
	box    *outbox
	conn   *autopaho.ConnectionManager
	stop   context.CancelFunc // ends sending
	closed context.CancelFunc // ends the connection
	link   *link
	sender sync.WaitGroup
	last   map[string]time.Time // of results sent, by camera; of the results' loop alone
	once   sync.Once
}

// New begins to connect, and goes on until Close; there need be no broker yet.
func New(o Options) (*Publisher, error) {
	p := &Publisher{o: o, box: newOutbox(o.Queue), link: newLink(), last: map[string]time.Time{}}
	p.box.set(p.statusTopic(), []byte("online"))
	for _, c := range o.Cameras {
		if o.Discovery != "" {
			for topic, text := range discover(o.Discovery, o.Topic, c) {
				p.box.set(topic, text)
			}
		}
		p.box.set(o.Topic+"/"+c+"/state", []byte(camera.Connecting.String()))
	}
	ctx, closed := context.WithCancel(context.Background())
	conn, err := autopaho.NewConnection(ctx, p.client())
	if err != nil {
		closed()
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	sending, stop := context.WithCancel(ctx)
	p.conn, p.stop, p.closed = conn, stop, closed
	p.sender.Go(func() { p.send(sending) })
	return p, nil
}

func (p *Publisher) client() autopaho.ClientConfig {
	log := p.o.Log.With("server", p.o.Server.Host)
	c := autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{p.o.Server},
		TlsCfg:                        p.o.TLS,
		KeepAlive:                     keepAlive,
		CleanStartOnInitialConnection: true,
		ConnectTimeout:                10 * time.Second,
		ReconnectBackoff:              backoff,
		ConnectUsername:               p.o.Username,
		WillMessage:                   &paho.WillMessage{Topic: p.statusTopic(), Payload: []byte("offline"), QoS: 1, Retain: true},
		OnConnectionUp: func(*autopaho.ConnectionManager, *paho.Connack) {
			log.Info("mqtt connected")
			p.link.up()
			p.box.again()
		},
		OnConnectionDown: func() bool {
			log.Warn("mqtt connection lost")
			p.link.down()
			return true
		},
		OnConnectError: func(err error) { log.Warn("mqtt not connected", "error", explain(err)) },
	}
	if p.o.Password != "" {
		c.ConnectPassword = []byte(p.o.Password)
	}
	c.ClientID = clientID(p.o.Topic)
	c.PacketTimeout = ackTimeout
	return c
}

// explain says in words why a broker refused, where it is for people to mend.
func explain(err error) error {
	var refused *autopaho.ConnackError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.ReasonCode {
	case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
		return fmt.Errorf("the broker refuses this username and password: %w", err)
	case packets.ConnackUnsupportedProtocolVersion:
		return fmt.Errorf("the broker does not speak MQTT 5: %w", err)
	}
	return err
}

// backoff is the wait before an attempt, by the number that failed: up to half a
// minute, and never the same on all machines that lost the same broker.
func backoff(failed int) time.Duration {
	most := min(250*time.Millisecond<<min(failed, 10), 30*time.Second)
	return most/2 + rand.N(most/2)
}

func (p *Publisher) statusTopic() string { return p.o.Topic + "/status" }

// send publishes what the outbox holds, one by one.
func (p *Publisher) send(ctx context.Context) {
	for ctx.Err() == nil {
		connected, done, err := p.link.wait(ctx)
		if err != nil {
			return
		}
		if n := p.box.lost(); n > 0 {
			p.o.Log.Warn("mqtt results dropped, the oldest first; a larger queue would have kept them", "dropped", n, "queue", p.o.Queue)
		}
		m, ok := p.box.peek()
		if !ok {
			done()
			select {
			case <-p.box.wake:
			case <-ctx.Done():
			}
			continue
		}
		answer, err := p.conn.Publish(connected, &paho.Publish{Topic: m.topic, Payload: m.payload, QoS: 1, Retain: true})
		done()
		switch {
		case err == nil:
			p.box.sent(m)
		case answer != nil || errors.Is(err, paho.ErrInvalidArguments):
			// Refused, and so it would be again.
			p.o.Log.Warn("mqtt message refused", "topic", m.topic, "error", err)
			p.box.sent(m)
		default: // the connection, which is being made again
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// Observe implements watch.Sink.
func (p *Publisher) Observe(o *watch.Observation, _ image.Image) {
	if !o.Changed && o.Time.Sub(p.last[o.Camera]) < p.o.Interval {
		return
	}
	p.last[o.Camera] = o.Time
	text, err := json.Marshal(o)
	if err != nil {
		p.o.Log.Warn("mqtt result not sent", "camera", o.Camera, "error", err)
		return
	}
	p.box.add(p.o.Topic+"/"+o.Camera+"/result", text)
}

// Status implements watch.StatusSink.
func (p *Publisher) Status(name string, s camera.Status) {
	p.box.set(p.o.Topic+"/"+name+"/state", []byte(s.State.String()))
}

// Close sends what is left, if there is a broker to take it, says goodbye, and
// ends the connection. It takes a few seconds at most.
func (p *Publisher) Close() error {
	p.once.Do(func() {
		defer p.closed()
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		if _, done, err := p.link.wait(ctx); err == nil {
			done()
			p.box.set(p.statusTopic(), []byte("offline"))
			p.flush(ctx)
		}
		p.stop()
		p.sender.Wait()
		_ = p.conn.Disconnect(ctx)
	})
	return nil
}

// flush waits until all is sent.
func (p *Publisher) flush(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, more := p.box.peek(); !more {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
