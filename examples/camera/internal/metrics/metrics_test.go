package metrics

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	sys := t.TempDir()
	temp := filepath.Join(sys, "class/thermal/thermal_zone0/temp")
	require.NoError(t, os.MkdirAll(filepath.Dir(temp), 0o700))
	require.NoError(t, os.WriteFile(temp, []byte("61500\n"), 0o600))
	m := newMetrics([]string{"door", "yard"}, sys)
	for range 3 {
		m.Observe(&watch.Observation{Camera: "door", Dropped: 2, Latency: 15}, nil)
	}
	m.Observe(&watch.Observation{Camera: "nobody"}, nil)
	m.Status("nobody", camera.Status{State: camera.Lost})
	for _, s := range []camera.State{camera.Connecting, camera.Lost, camera.Connecting, camera.Streaming, camera.Stalled, camera.Streaming, camera.Lost, camera.Connecting, camera.Streaming, camera.Lost} {
		m.Status("door", camera.Status{State: s})
	}
	text := scrape(m)
	for _, want := range []string{
		`seedge_frames_total{camera="door"} 3`, `seedge_frames_total{camera="yard"} 0`,
		`seedge_frames_dropped_total{camera="door"} 6`,
		`seedge_reconnects_total{camera="door"} 1`,
		`seedge_latency_seconds_bucket{camera="door",le="0.01"} 0`, `seedge_latency_seconds_bucket{camera="door",le="0.02"} 3`,
		`seedge_camera_state{camera="door",state="lost"} 1`, `seedge_camera_state{camera="door",state="streaming"} 0`,
		`seedge_temperature_celsius 61.5`, `go_goroutines`,
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "nobody")
	assert.NotContains(t, text, "cpu_frequency", "this machine does not tell")
}
