package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const usage = `usage: camera [flags] SOURCE...
       camera [flags] --config FILE

Labels what cameras see. SOURCE is a V4L2 device (0, /dev/video0), a CSI camera
(rpi:0, jetson:0), a video file, or an http or rtsp address; NAME=SOURCE names
it. Flags stand above the file.

`

// ErrHelp: the help was asked for and printed.
var ErrHelp = flag.ErrHelp

// Parse reads the command line, and the file that it names. Help and usage go to
// out. The result has been checked.
func Parse(args []string, out io.Writer) (Config, error) {
	set := flag.NewFlagSet("camera", flag.ContinueOnError)
	set.SetOutput(out)
	set.Usage = func() {
		fmt.Fprint(out, usage)
		set.PrintDefaults()
	}
	file := set.String("config", "", "YAML `file`")
	// The flags are parsed twice: once to find the file, and once over it.
	c := Default()
	c.flags(set)
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return Config{}, ErrHelp
		}
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if *file != "" {
		var err error
		if c, err = Read(*file); err != nil {
			return Config{}, err
		}
		again := flag.NewFlagSet("camera", flag.ContinueOnError)
		again.SetOutput(io.Discard)
		again.String("config", "", "")
		c.flags(again)
		if err := again.Parse(args); err != nil {
			return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	if set.NArg() > 0 {
		c.Cameras = nil
	}
	for _, arg := range set.Args() {
		c.Cameras = append(c.Cameras, namedSource(arg))
	}
	if err := c.Check(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func (c *Config) flags(set *flag.FlagSet) {
	set.StringVar(&c.Model, "model", c.Model, "model `file`, or default")
	set.IntVar(&c.Threads, "threads", c.Threads, "threads that work on a frame; 0: as many as help")
	set.IntVar(&c.Every, "every", c.Every, "classify each `n`-th frame")
	set.Float64Var(&c.Threshold, "threshold", c.Threshold, "show a label once its mean probability has reached this")
	set.Float64Var(&c.Margin, "margin", c.Margin, "keep it until its mean is lower by this")
	set.DurationVar(&c.Smooth, "smooth", c.Smooth, "time of the mean; 0: each frame by itself")
	set.BoolVar(&c.ChangesOnly, "changes-only", c.ChangesOnly, "print a line when a label changes, not for each frame")
	set.BoolVar(&c.Show, "show", c.Show, "show a window; needs a build with OpenCV's highgui")
	set.StringVar(&c.Film, "o", c.Film, "write a video, `file.avi`, of one camera's frames with their labels")
	set.StringVar(&c.Web.Listen, "listen", c.Web.Listen, "`address` of the web page; empty: none")
	set.StringVar(&c.Web.TokenFile, "token-file", c.Web.TokenFile, "`file` with the page's bearer token")
	set.StringVar(&c.Clips.Folder, "clips", c.Clips.Folder, "`folder` for clips of what was seen")
	set.StringVar(&c.MQTT.Server, "mqtt", c.MQTT.Server, "`address` of an MQTT 5 broker: mqtt://host:1883, or mqtts://host:8883 for TLS")
	set.StringVar(&c.MQTT.Username, "mqtt-user", c.MQTT.Username, "its `name` for us")
	set.StringVar(&c.MQTT.PasswordFile, "mqtt-password-file", c.MQTT.PasswordFile, "`file` with the password")
	set.StringVar(&c.MQTT.CAFile, "mqtt-ca", c.MQTT.CAFile, "PEM `file` with the authority of its certificate")
	set.StringVar(&c.MQTT.Topic, "mqtt-topic", c.MQTT.Topic, "`topic` before all others; empty: seedge/ and this machine's name")
	set.Func("region", "classify this part, `x,y,width,height`, of every camera", func(s string) error {
		var region []int
		for _, f := range strings.Split(s, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(f))
			if err != nil {
				return fmt.Errorf("want x,y,width,height")
			}
			region = append(region, n)
		}
		c.region = region
		return nil
	})
}

// namedSource splits NAME=SOURCE. A source with an equals sign of its own, as in
// the query of an address, has no name before it.
func namedSource(arg string) Camera {
	if name, source, ok := strings.Cut(arg, "="); ok && cameraName.MatchString(name) {
		return Camera{Name: name, Source: source}
	}
	return Camera{Source: arg}
}
