package metrics

import (
	"image"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

// Metrics is a watch.Sink and a watch.StatusSink.
type Metrics struct {
	registry *prometheus.Registry
	cameras  map[string]*counts
}

// counts are one camera's.
type counts struct {
	frames, dropped, reconnects prometheus.Counter
	latency                     prometheus.Observer
	states                      map[camera.State]prometheus.Gauge

	mu      sync.Mutex
	streams int // times that frames began to come
	lost    bool
}

// New makes metrics for cameras by name.
func New(names []string) *Metrics { return newMetrics(names, "/sys") }

func newMetrics(names []string, sys string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), cameras: map[string]*counts{}}
	by := []string{"camera"}
	counter := func(name, help string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "seedge", Name: name, Help: help}, by)
		m.registry.MustRegister(c)
		return c
	}
	frames := counter("frames_total", "Frames classified.")
	dropped := counter("frames_dropped_total", "Frames left out for newer ones.")
	reconnects := counter("reconnects_total", "Times a camera gave frames again after it was lost.")
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "seedge", Name: "latency_seconds", Help: "From capture to result.",
		Buckets: []float64{.002, .005, .01, .02, .035, .05, .075, .1, .2, .5, 1, 2, 5},
	}, by)
	state := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "seedge", Name: "camera_state", Help: "1 for the state that a camera is in."}, []string{"camera", "state"})
	m.registry.MustRegister(latency, state, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.watchMachine(sys)
	for _, n := range names {
		c := &counts{
			frames: frames.WithLabelValues(n), dropped: dropped.WithLabelValues(n), reconnects: reconnects.WithLabelValues(n),
			latency: latency.WithLabelValues(n), states: map[camera.State]prometheus.Gauge{},
		}
		for s := camera.Connecting; s <= camera.Ended; s++ {
			c.states[s] = state.WithLabelValues(n, s.String())
		}
		m.cameras[n] = c
	}
	return m
}

// watchMachine adds a gauge for each file that this machine has.
func (m *Metrics) watchMachine(sys string) {
	for _, g := range []struct {
		name, help, path string
		unit             float64
	}{
		{"temperature_celsius", "Of the processor.", "class/thermal/thermal_zone0/temp", 1e-3},
		{"cpu_frequency_hertz", "Of the first core.", "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", 1e3},
		{"cpu_frequency_max_hertz", "Of the first core when it is not throttled.", "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", 1e3},
	} {
		path := filepath.Join(sys, g.path)
		if _, ok := number(path); !ok {
			continue
		}
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "seedge", Name: g.name, Help: g.help}, func() float64 {
			v, _ := number(path)
			return v * g.unit
		}))
	}
}

func number(path string) (float64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return v, err == nil
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Observe implements watch.Sink.
func (m *Metrics) Observe(o *watch.Observation, _ image.Image) {
	if c := m.cameras[o.Camera]; c != nil {
		c.frames.Inc()
		c.dropped.Add(float64(o.Dropped))
		c.latency.Observe(o.Latency / 1000)
	}
}

// Status implements watch.StatusSink.
func (m *Metrics) Status(name string, s camera.Status) {
	c := m.cameras[name]
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for state, gauge := range c.states {
		if state == s.State {
			gauge.Set(1)
		} else {
			gauge.Set(0)
		}
	}
	switch s.State {
	case camera.Lost:
		c.lost = c.streams > 0
	case camera.Streaming:
		if c.streams++; c.lost {
			c.reconnects.Inc()
		}
		c.lost = false
	}
}
