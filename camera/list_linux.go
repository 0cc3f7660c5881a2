package camera

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// List returns the V4L2 cameras of this machine, in the order of their numbers,
// with their names and modes. Nodes that capture no pictures (metadata, output)
// are left out; a device that cannot be asked has its Err set. It needs neither
// cgo nor OpenCV. No camera is no error.
func List() ([]Device, error) {
	return list("/sys/class/video4linux", "/dev", openNode)
}

// A node is an open device; ioctl is ioctl(2) on it.
type node interface {
	ioctl(request uint, arg structure) error
	close()
}

func list(sys, dev string, open func(path string) (node, error)) ([]Device, error) {
	entries, err := os.ReadDir(sys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without V4L2, or without cameras so far
	}
	if err != nil {
		return nil, fmt.Errorf("camera: cannot list cameras: %w", err)
	}
	stable := stableNames(filepath.Join(dev, "v4l", "by-id"))
	var devices []Device
	for _, e := range entries {
		if !isVideoNode(e.Name()) {
			continue
		}
		d := Device{Path: filepath.Join(dev, e.Name()), Stable: stable[e.Name()]}
		if name, err := os.ReadFile(filepath.Join(sys, e.Name(), "name")); err == nil {
			d.Name = printable(strings.TrimSpace(string(name)))
		}
		n, err := open(d.Path)
		if err != nil {
			d.Err = fmt.Errorf("camera: %s: %w: %w", d.Path, ErrOpen, err)
			devices = append(devices, d)
			continue
		}
		captures, err := d.ask(n)
		n.close()
		if err != nil {
			d.Err = fmt.Errorf("camera: %s: %w: %w", d.Path, ErrOpen, err)
		}
		if captures || err != nil {
			devices = append(devices, d)
		}
	}
	slices.SortFunc(devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), strings.Compare(a.Path, b.Path))
	})
	return devices, nil
}

func isVideoNode(name string) bool {
	digits, ok := strings.CutPrefix(name, "video")
	_, err := strconv.ParseUint(digits, 10, 8)
	return ok && err == nil
}

// stableNames maps video nodes to the links that udev made for them.
func stableNames(folder string) map[string]string {
	names := map[string]string{}
	links, _ := os.ReadDir(folder)
	for _, l := range links {
		path := filepath.Join(folder, l.Name())
		if to, err := os.Readlink(path); err == nil && names[filepath.Base(to)] == "" {
			names[filepath.Base(to)] = path
		}
	}
	return names
}

type file int

func openNode(path string) (node, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return file(fd), nil
}

func (f file) close() { _ = unix.Close(int(f)) }

// ask fills in what the device says of itself, and reports whether it captures
// pictures. What it says is not trusted to end: each list has a bound.
func (d *Device) ask(n node) (captures bool, err error) {
	var c capability
	if err := n.ioctl(queryCap, &c); err != nil {
		return false, err
	}
	has := c.Capabilities
	if has&capDeviceCaps != 0 {
		has = c.DeviceCaps
	}
	if has&(capVideoCapture|capVideoCaptureMplane) == 0 {
		return false, nil
	}
	d.Driver, d.Bus = text(c.Driver[:]), text(c.BusInfo[:])
	if name := text(c.Card[:]); name != "" {
		d.Name = name
	}
	kind := uint32(bufVideoCapture)
	if has&capVideoCapture == 0 {
		kind = bufVideoCaptureMplane
	}
	for i := range uint32(maxFormats) {
		format := formatDescription{Index: i, Type: kind}
		if n.ioctl(enumFormats, &format) != nil {
			break
		}
		d.Modes = append(d.Modes, modes(n, format.PixelFormat)...)
	}
	return true, nil
}

const (
	maxFormats = 64
	maxSizes   = 256
	maxRates   = 64
)

// modes lists the sizes of a format.
func modes(n node, pixels uint32) (modes []Mode) {
	for i := range uint32(maxSizes) {
		s := frameSize{Index: i, PixelFormat: pixels}
		if n.ioctl(enumSizes, &s) != nil {
			break
		}
		m := Mode{Pixels: fourCCName(pixels)}
		if s.Type == discrete {
			m.Width, m.Height = int(s.Sizes[0]), int(s.Sizes[1])
			m.MinWidth, m.MinHeight = m.Width, m.Height
		} else {
			m.MinWidth, m.Width = int(s.Sizes[0]), int(s.Sizes[1])
			m.MinHeight, m.Height = int(s.Sizes[3]), int(s.Sizes[4])
		}
		m.Rates = rates(n, pixels, uint32(m.Width), uint32(m.Height))
		modes = append(modes, m)
		if s.Type != discrete {
			break // a range is one entry
		}
	}
	if modes == nil {
		// Drivers need not tell their sizes.
		modes = []Mode{{Pixels: fourCCName(pixels)}}
	}
	return modes
}

// rates lists the rates of a format and size.
func rates(n node, pixels, width, height uint32) (rates []float64) {
	add := func(numerator, denominator uint32) {
		if numerator != 0 {
			rates = append(rates, float64(denominator)/float64(numerator))
		}
	}
	for i := range uint32(maxRates) {
		v := frameInterval{Index: i, PixelFormat: pixels, Width: width, Height: height}
		if n.ioctl(enumIntervals, &v) != nil {
			break
		}
		add(v.Intervals[0], v.Intervals[1])
		if v.Type != discrete {
			add(v.Intervals[2], v.Intervals[3])
			break
		}
	}
	return rates
}

// text is a string of C.
func text(b []byte) string {
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return printable(string(b))
}

// printable keeps a device's name from writing on the terminal by itself.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
