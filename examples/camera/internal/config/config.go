package config

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ErrConfig is wrapped by every error about what a configuration says.
var ErrConfig = errors.New("bad configuration")

// A Config is all that the application is told.
type Config struct {
	Model       string        `yaml:"model"`        // a file, or "default"
	Threads     int           `yaml:"threads"`      // that work on a frame; 0: as sdk chooses
	Every       int           `yaml:"every"`        // classify each so-many-th frame
	Threshold   float64       `yaml:"threshold"`    // a label is shown once its mean has reached it, 0 to 1
	Margin      float64       `yaml:"margin"`       // and stays until its mean is lower by this
	Smooth      time.Duration `yaml:"smooth"`       // time of the exponential mean; 0: none
	ChangesOnly bool          `yaml:"changes_only"` // print a line when a label changes, not for each frame
	Cameras     []Camera      `yaml:"cameras"`
	Clips       Clips         `yaml:"clips"`
	Web         Web           `yaml:"web"`
	MQTT        MQTT          `yaml:"mqtt"`

	Show   bool   `yaml:"-"` // a window, on the command line only
	Film   string `yaml:"-"` // a video of everything, likewise; "": none
	region []int  // of the flag, for all cameras
}

// A Camera is one source.
type Camera struct {
	Name        string        `yaml:"name"`
	Source      string        `yaml:"source"`
	Size        string        `yaml:"size"`   // 640x480; "": as it likes
	Rate        float64       `yaml:"rate"`   // frames per second; 0: as it likes
	Pixels      string        `yaml:"pixels"` // MJPG or YUYV; "": as it likes
	Region      []int         `yaml:"region"` // x, y, width, height of the part that is classified
	ReadTimeout time.Duration `yaml:"read_timeout"`
	OpenTimeout time.Duration `yaml:"open_timeout"`
}

// Clips are videos of what was seen.
type Clips struct {
	Folder string        `yaml:"folder"` // "": no clips
	Labels []string      `yaml:"labels"` // that begin one; none: any
	Before time.Duration `yaml:"before"`
	After  time.Duration `yaml:"after"`
	Limit  int           `yaml:"limit_mb"` // of the folder, in MB
}

// Web is the page.
type Web struct {
	Listen    string `yaml:"listen"` // "": no page
	TokenFile string `yaml:"token_file"`
	Clients   int    `yaml:"clients"` // at once
}

// Default is what holds where nothing is said.
func Default() Config {
	return Config{
		Model: "default", Every: 1, Threshold: 0.5, Margin: 0.1, Smooth: 500 * time.Millisecond,
		Clips: Clips{Before: 3 * time.Second, After: 3 * time.Second, Limit: 500},
		Web:   Web{Listen: "127.0.0.1:8080", Clients: 8},
		MQTT:  MQTT{Discovery: "homeassistant", Interval: 10 * time.Second, Queue: 1000},
	}
}

const maxFile = 1 << 20

// Read reads a file over the defaults. It does not Check.
func Read(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if len(text) > maxFile {
		return Config{}, fmt.Errorf("%s: %w: more than %d bytes", path, ErrConfig, maxFile)
	}
	c, err := parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parse(text []byte) (Config, error) {
	c := Default()
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%w: more than one YAML document", ErrConfig)
	}
	return c, nil
}

var (
	cameraName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)
)

// Check completes names that were left out and finds what cannot be.
func (c *Config) Check() error {
	if len(c.Cameras) == 0 {
		return fmt.Errorf("%w: no camera; name a source, or some under cameras", ErrConfig)
	}
	if c.Film != "" && len(c.Cameras) > 1 {
		return fmt.Errorf("%w: -o %s is a video of one camera, and there are %d; clips are of any number", ErrConfig, c.Film, len(c.Cameras))
	}
	names := map[string]bool{}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		if cam.Name == "" {
			cam.Name = fmt.Sprintf("camera%d", i+1)
		}
		if !cameraName.MatchString(cam.Name) {
			return fmt.Errorf("%w: camera %d is named %q; want 1 to 32 letters, digits, - and _", ErrConfig, i+1, cam.Name)
		}
		if names[cam.Name] {
			return fmt.Errorf("%w: two cameras are named %s", ErrConfig, cam.Name)
		}
		names[cam.Name] = true
		if c.region != nil {
			cam.Region = c.region
		}
		if cam.Source == "" {
			return fmt.Errorf("%w: camera %s has no source", ErrConfig, cam.Name)
		}
		if _, _, err := cam.Dimensions(); err != nil {
			return err
		}
		if _, err := cam.Part(); err != nil {
			return err
		}
	}
	for _, v := range []struct {
		name     string
		ok       bool
		is, want any
	}{
		{"model", c.Model != "", c.Model, "a file, or default"},
		{"threads", c.Threads >= 0 && c.Threads <= 1024, c.Threads, "0 to 1024"},
		{"every", c.Every >= 1, c.Every, "1 or more"},
		{"threshold", c.Threshold > 0 && c.Threshold <= 1, c.Threshold, "more than 0, at most 1"},
		{"margin", c.Margin >= 0 && c.Margin < 1, c.Margin, "0 to less than 1"},
		{"smooth", c.Smooth >= 0 && c.Smooth <= time.Hour, c.Smooth, "0 to 1h"},
		{"clips before", c.Clips.Before >= 0 && c.Clips.Before <= time.Minute, c.Clips.Before, "0 to 1m"},
		{"clips after", c.Clips.After >= 0 && c.Clips.After <= 10*time.Minute, c.Clips.After, "0 to 10m"},
		{"clips limit_mb", c.Clips.Limit >= 10, c.Clips.Limit, "10 or more"},
		{"web clients", c.Web.Clients >= 1 && c.Web.Clients <= 1000, c.Web.Clients, "1 to 1000"},
	} {
		if !v.ok {
			return fmt.Errorf("%w: %s is %v, want %v", ErrConfig, v.name, v.is, v.want)
		}
	}
	if err := c.MQTT.check(); err != nil {
		return err
	}
	return c.Web.check()
}

// Loopback reports whether the page can be reached from this machine only.
func (w Web) Loopback() bool {
	host, _, err := net.SplitHostPort(w.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (w Web) check() error {
	if w.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(w.Listen); err != nil {
		return fmt.Errorf("%w: web listen is %q, want host:port: %w", ErrConfig, w.Listen, err)
	}
	if !w.Loopback() && w.TokenFile == "" {
		return fmt.Errorf("%w: the page at %s can be reached by others; put a token of 16 characters or more into a file and name it as token_file, or listen on 127.0.0.1", ErrConfig, w.Listen)
	}
	return nil
}

// Secret reads a password or token: the first line of a file.
func Secret(path string, shortest int) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSpace(line)
	if len(line) < shortest {
		return "", fmt.Errorf("%s: %w: %d characters in the first line, want %d or more", path, ErrConfig, len(line), shortest)
	}
	return line, nil
}

// Dimensions returns Size in pixels, or 0, 0.
func (c Camera) Dimensions() (width, height int, err error) {
	if c.Size == "" {
		return 0, 0, nil
	}
	if n, err := fmt.Sscanf(c.Size+"$", "%dx%d$", &width, &height); n != 2 || err != nil || width < 1 || height < 1 {
		return 0, 0, fmt.Errorf("%w: camera %s: size is %q, want WIDTHxHEIGHT, as 640x480", ErrConfig, c.Name, c.Size)
	}
	return width, height, nil
}

// Part returns Region as a rectangle, empty for all of the picture.
func (c Camera) Part() (image.Rectangle, error) {
	r := c.Region
	if len(r) == 0 {
		return image.Rectangle{}, nil
	}
	const most = 1 << 20
	if len(r) != 4 || r[0] < 0 || r[1] < 0 || r[2] < 1 || r[3] < 1 || max(r[0], r[1], r[2], r[3]) > most {
		return image.Rectangle{}, fmt.Errorf("%w: camera %s: region is %v, want [x, y, width, height] in pixels", ErrConfig, c.Name, r)
	}
	return image.Rect(r[0], r[1], r[0]+r[2], r[1]+r[3]), nil
}
