package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/camera"
)

// listed is one camera as JSON.
type listed struct {
	Path   string       `json:"path"`
	Stable string       `json:"stable,omitempty"`
	Name   string       `json:"name"`
	Driver string       `json:"driver,omitempty"`
	Bus    string       `json:"bus,omitempty"`
	Modes  []listedMode `json:"modes"`
	Error  string       `json:"error,omitempty"`
}

type listedMode struct {
	Pixels    string    `json:"pixels"`
	Width     int       `json:"width"`
	Height    int       `json:"height"`
	MinWidth  int       `json:"min_width,omitempty"`
	MinHeight int       `json:"min_height,omitempty"`
	Rates     []float64 `json:"rates"`
}

func (a *app) camerasCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cameras",
		Short: "List the cameras of this machine and their modes",
		Long: `Lists the V4L2 cameras of this machine with their names, formats, sizes and
frame rates. The stable name below /dev/v4l/by-id may be used instead of
/dev/videoN. It needs no build with OpenCV.

Cameras on a ribbon cable are opened by other names: rpi:0 on a Raspberry Pi,
jetson:0 on a Jetson.`,
		Example: `  seedge cameras
  seedge cameras --json`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			devices, err := camera.List()
			if err != nil {
				return err
			}
			return a.printCameras(devices)
		},
	}
}

func (a *app) printCameras(devices []camera.Device) error {
	if a.json {
		all := make([]listed, 0, len(devices))
		for _, d := range devices {
			l := listed{Path: d.Path, Stable: d.Stable, Name: d.Name, Driver: d.Driver, Bus: d.Bus, Modes: []listedMode{}}
			if d.Err != nil {
				l.Error = d.Err.Error()
			}
			for _, m := range d.Modes {
				lm := listedMode{Pixels: m.Pixels, Width: m.Width, Height: m.Height, Rates: append([]float64{}, m.Rates...)}
				if isRange(m) {
					lm.MinWidth, lm.MinHeight = m.MinWidth, m.MinHeight
				}
				l.Modes = append(l.Modes, lm)
			}
			all = append(all, l)
		}
		return a.emit(all)
	}
	if len(devices) == 0 {
		a.notef("no cameras")
	}
	for _, d := range devices {
		a.printf("%s  %s\n", d.Path, d.Name)
		if d.Stable != "" {
			a.printf("  %s\n", d.Stable)
		}
		if d.Err != nil {
			a.printf("  %v\n", d.Err)
		}
		t := a.table()
		for _, m := range d.Modes {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", m.Pixels, sizeOf(m), ratesOf(m))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func isRange(m camera.Mode) bool { return m.MinWidth != m.Width || m.MinHeight != m.Height }

func sizeOf(m camera.Mode) string {
	switch {
	case m.Width == 0:
		return "size not told"
	case isRange(m):
		return fmt.Sprintf("%dx%d to %dx%d", m.MinWidth, m.MinHeight, m.Width, m.Height)
	}
	return fmt.Sprintf("%dx%d", m.Width, m.Height)
}

func ratesOf(m camera.Mode) string {
	if len(m.Rates) == 0 {
		return ""
	}
	var rates []string
	for _, r := range m.Rates {
		rates = append(rates, fmt.Sprintf("%.4g", r))
	}
	return strings.Join(rates, " ") + " frames/s"
}
