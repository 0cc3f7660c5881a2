package throttle

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hot is where processors begin to slow down that do not tell their own limit, in
// degrees Celsius: the Raspberry Pi's soft limit.
const hot = 80

// A machine is what a folder like /sys tells. All of it may be missing.
type machine struct{ sys string }

// warning asks for what slows the processor down: first whoever slows it, then
// whether it is slow.
func (m machine) warning() string {
	var why []string
	if bits, ok := m.firmware(); ok {
		for i, what := range []string{"the supply voltage is too low", "the frequency is capped", "throttled", "it is at its temperature limit"} {
			if bits>>i&1 == 1 {
				why = append(why, what)
			}
		}
	} else if m.cooled() {
		why = append(why, "the kernel cools it")
	}
	temperature, limit, known := m.temperature()
	now, most, clocks := m.frequency()
	tooHot := known && temperature >= limit
	if len(why) == 0 && (!tooHot || !clocks || now >= most) {
		return "" // slow alone is idle, and hot alone is summer
	}
	text := "The processor is slowed down"
	if clocks && now < most {
		text += fmt.Sprintf(": %.1f of %.1f GHz", now, most)
	}
	if known {
		text += fmt.Sprintf(" at %.0f °C", temperature)
	}
	if len(why) > 0 {
		text += " (" + strings.Join(why, ", ") + ")"
	}
	return text
}

// firmware is the Raspberry Pi's answer; bits 0 to 3 are of now, and those above
// of some time since it was switched on.
func (m machine) firmware() (bits uint64, ok bool) {
	text, ok := read(filepath.Join(m.sys, "devices/platform/soc/soc:firmware/get_throttled"))
	if !ok {
		return 0, false
	}
	bits, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 32)
	return bits, err == nil
}

// cooled reports whether the kernel holds a processor's frequency down for the
// sake of its temperature.
func (m machine) cooled() bool {
	for _, device := range m.all("class/thermal/cooling_device*") {
		kind, _ := read(filepath.Join(device, "type"))
		if !strings.Contains(kind, "cpufreq") && kind != "Processor" {
			continue // fans run, too
		}
		if step, ok := number(filepath.Join(device, "cur_state")); ok && step > 0 {
			return true
		}
	}
	return false
}

// temperature is that of the first zone, by convention the processor's, and the
// lowest at which the kernel begins to slow it down, in degrees Celsius.
func (m machine) temperature() (now, limit float64, ok bool) {
	zone := filepath.Join(m.sys, "class/thermal/thermal_zone0")
	now, ok = number(filepath.Join(zone, "temp"))
	told := false
	limit = hot
	for _, path := range m.all("class/thermal/thermal_zone0/trip_point_*_type") {
		if kind, _ := read(path); kind != "passive" {
			continue
		}
		if at, ok := number(strings.TrimSuffix(path, "type") + "temp"); ok && at > 0 {
			at /= 1000
			if !told || at < limit {
				limit = at
			}
			told = true
		}
	}
	return now / 1000, limit, ok
}

// frequency is the fastest core's now, and what it could be, in GHz: with one busy
// core of several, the others may well rest.
func (m machine) frequency() (now, most float64, ok bool) {
	for _, core := range m.all("devices/system/cpu/cpu[0-9]*/cpufreq") {
		n, ok1 := number(filepath.Join(core, "scaling_cur_freq"))
		x, ok2 := number(filepath.Join(core, "cpuinfo_max_freq"))
		if ok1 && ok2 && x > 0 && (!ok || n/x > now/most) {
			now, most, ok = n, x, true
		}
	}
	return now / 1e6, most / 1e6, ok
}

func (m machine) all(pattern string) []string {
	paths, _ := filepath.Glob(filepath.Join(m.sys, pattern)) // the patterns are well formed
	return paths
}

func read(path string) (string, bool) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err == nil
}

func number(path string) (float64, bool) {
	text, ok := read(path)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(text, 10, 64)
	return float64(v), err == nil
}
