package throttle

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	zone  = "class/thermal/thermal_zone0/"
	core0 = "devices/system/cpu/cpu0/cpufreq/"
	core1 = "devices/system/cpu/cpu1/cpufreq/"
	pi    = "devices/platform/soc/soc:firmware/get_throttled"
)

func put(t *testing.T, sys string, files map[string]string) {
	for name, text := range files {
		path := filepath.Join(sys, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path+".new", []byte(text+"\n"), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
}

func TestWarning(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing told":   {nil, ""},
		"idle":           {map[string]string{zone + "temp": "45000", core0 + "scaling_cur_freq": "600000", core0 + "cpuinfo_max_freq": "1800000"}, ""},
		"hot, full pace": {map[string]string{zone + "temp": "81000", core0 + "scaling_cur_freq": "1800000", core0 + "cpuinfo_max_freq": "1800000"}, ""},
		"hot and slow": {map[string]string{zone + "temp": "82400", core0 + "scaling_cur_freq": "1200000", core0 + "cpuinfo_max_freq": "1800000"},
			"The processor is slowed down: 1.2 of 1.8 GHz at 82 °C"},
		"hot, one core at full pace": {map[string]string{zone + "temp": "82400", core0 + "scaling_cur_freq": "600000", core0 + "cpuinfo_max_freq": "1800000",
			core1 + "scaling_cur_freq": "1800000", core1 + "cpuinfo_max_freq": "1800000"}, ""},
		"hot by its own limit": {map[string]string{zone + "temp": "71000", zone + "trip_point_0_type": "passive", zone + "trip_point_0_temp": "70000",
			zone + "trip_point_1_type": "critical", zone + "trip_point_1_temp": "60000", core0 + "scaling_cur_freq": "1000000", core0 + "cpuinfo_max_freq": "2000000"},
			"The processor is slowed down: 1.0 of 2.0 GHz at 71 °C"},
		"cool by its own limit": {map[string]string{zone + "temp": "85000", zone + "trip_point_0_type": "passive", zone + "trip_point_0_temp": "95000",
			core0 + "scaling_cur_freq": "1000000", core0 + "cpuinfo_max_freq": "2000000"}, ""},
		"cooled": {map[string]string{"class/thermal/cooling_device1/type": "cpufreq-cpu0", "class/thermal/cooling_device1/cur_state": "2"},
			"The processor is slowed down (the kernel cools it)"},
		"not cooled": {map[string]string{"class/thermal/cooling_device1/type": "cpufreq-cpu0", "class/thermal/cooling_device1/cur_state": "0",
			"class/thermal/cooling_device0/type": "pwm-fan", "class/thermal/cooling_device0/cur_state": "4"}, ""},
		"Raspberry Pi": {map[string]string{pi: "50005", zone + "temp": "51000", core0 + "scaling_cur_freq": "600000", core0 + "cpuinfo_max_freq": "1800000"},
			"The processor is slowed down: 0.6 of 1.8 GHz at 51 °C (the supply voltage is too low, throttled)"},
		"Raspberry Pi, once": {map[string]string{pi: "0x50000"}, ""},
		"nonsense":           {map[string]string{pi: "what", zone + "temp": "", core0 + "scaling_cur_freq": "x", core0 + "cpuinfo_max_freq": "0"}, ""},
	} {
		sys := t.TempDir()
		put(t, sys, c.files)
		assert.Equal(t, c.want, machine{sys}.warning(), name)
	}
}

// text is a log that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *text) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// The warning comes and goes; the log has it once.
func TestWatch(t *testing.T) {
	sys := t.TempDir()
	put(t, sys, map[string]string{pi: "0"})
	var log text
	w := watch(sys, slog.New(slog.NewTextHandler(&log, nil)), time.Millisecond)
	defer w.Close()
	assert.Empty(t, w.Warning())
	for range 3 {
		put(t, sys, map[string]string{pi: "4"})
		require.Eventually(t, func() bool { return w.Warning() != "" }, 10*time.Second, time.Millisecond)
		put(t, sys, map[string]string{pi: "0"})
		require.Eventually(t, func() bool { return w.Warning() == "" }, 10*time.Second, time.Millisecond)
	}
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	assert.Equal(t, 1, log.count("throttled; this is logged once"))
	assert.Equal(t, 1, log.count("level=WARN"))
}

func TestThisMachine(t *testing.T) {
	w := Watch(slog.New(slog.NewTextHandler(io.Discard, nil)))
	_ = w.Warning() // whatever it is
	require.NoError(t, w.Close())
}
