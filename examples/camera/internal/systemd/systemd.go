package systemd

import (
	"fmt"
	"image"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// A Notifier is a watch.Sink and a watch.StatusSink. A nil one is silent.
type Notifier struct {
	conn     net.Conn
	progress atomic.Int64 // when anything last happened, in nanoseconds
	done     chan struct{}
	once     sync.Once
	pings    sync.WaitGroup
}

// FromEnvironment connects to the manager that NOTIFY_SOCKET names, and pings it
// if WATCHDOG_USEC asks for that. It returns nil where there is none.
func FromEnvironment() (*Notifier, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil, nil
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:] // an abstract socket
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return nil, fmt.Errorf("systemd: %w", err)
	}
	n := &Notifier{conn: conn, done: make(chan struct{})}
	n.moved()
	if period := watchdog(); period > 0 {
		n.pings.Go(func() { n.ping(period) })
	}
	return n, nil
}

// watchdog is the time after which the manager gives up on us; 0: never.
func watchdog() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0 // meant for another process
	}
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us < 1 || us > int64(24*time.Hour/time.Microsecond) {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

func (n *Notifier) send(state string) {
	if n != nil {
		_, _ = n.conn.Write([]byte(state)) // a manager that went away is no reason to stop
	}
}

// Ready says that the cameras are open.
func (n *Notifier) Ready() { n.send("READY=1") }

// Close says that the application stops.
func (n *Notifier) Close() error {
	if n == nil {
		return nil
	}
	n.send("STOPPING=1")
	n.once.Do(func() { close(n.done) })
	n.pings.Wait()
	return n.conn.Close()
}

func (n *Notifier) moved() { n.progress.Store(time.Now().UnixNano()) }

// Observe implements watch.Sink.
func (n *Notifier) Observe(*watch.Observation, image.Image) { n.moved() }

// Status implements watch.StatusSink. A camera that is away is tried again and
// again; that is progress, too.
func (n *Notifier) Status(string, camera.Status) { n.moved() }

// ping tells the watchdog of progress, as long as there was any in the last half
// of its period.
func (n *Notifier) ping(period time.Duration) {
	tick := time.NewTicker(max(period/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-n.done:
			return
		case <-tick.C:
			if time.Since(time.Unix(0, n.progress.Load())) < period/2 {
				n.send("WATCHDOG=1")
			}
		}
	}
}
