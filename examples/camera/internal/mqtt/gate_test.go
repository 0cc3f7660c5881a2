package mqtt

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A gate stands between a publisher and its broker: closed, it cuts what is
// connected, as a cable that comes out, and lets nothing in.
type gate struct {
	l      net.Listener
	to     string
	mu     sync.Mutex
	open   bool
	within []net.Conn
}

func newGate(t *testing.T, to string) *gate {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{l: l, to: to, open: true}
	t.Cleanup(func() {
		_ = l.Close()
		g.shut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.enter(c)
		}
	}()
	return g
}

func (g *gate) enter(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		_ = c.Close()
		return
	}
	out, err := net.Dial("tcp", g.to)
	if err != nil {
		_ = c.Close()
		return
	}
	g.within = append(g.within, c, out)
	for _, pair := range [][2]net.Conn{{c, out}, {out, c}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_, _ = pair[0].Close(), pair[1].Close()
		}()
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
	for _, c := range g.within {
		_ = c.Close()
	}
	g.within = nil
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
}

func (g *gate) url(scheme string) *url.URL {
	return &url.URL{Scheme: scheme, Host: g.l.Addr().String()}
}
