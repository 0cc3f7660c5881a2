package broker

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A Broker is a mosquitto on a port of its own, without memory of former ones.
type Broker struct {
	Address string
	t       *testing.T
	config  string
	cmd     *exec.Cmd
}

// New makes a broker for a test, and starts it. The settings are lines of
// mosquitto.conf; without any, everybody may do everything.
func New(t *testing.T, settings string) *Broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &Broker{Address: l.Addr().String(), t: t, config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	require.NoError(t, l.Close())
	if settings == "" {
		settings = "allow_anonymous true"
	}
	_, port, err := net.SplitHostPort(b.Address)
	require.NoError(t, err)
	text := "user root\nlistener " + port + " 127.0.0.1\npersistence false\n" + settings + "\n"
	require.NoError(t, os.WriteFile(b.config, []byte(text), 0o600))
	t.Cleanup(b.Kill)
	b.Start()
	return b
}

// Start runs it until it answers.
func (b *Broker) Start() {
	b.t.Helper()
	b.cmd = exec.Command(program(b.t), "-c", b.config)
	b.cmd.Stderr = b.t.Output()
	require.NoError(b.t, b.cmd.Start())
	require.Eventually(b.t, func() bool {
		c, err := net.Dial("tcp", b.Address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "mosquitto does not listen")
}

// Kill ends it as a power cut would. A dead one stays dead.
func (b *Broker) Kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// program finds mosquitto, which is not on everybody's path.
func program(t *testing.T) string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("this test wants mosquitto: make deps-mosquitto, or apt-get install mosquitto")
	return ""
}
