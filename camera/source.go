package camera

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

type kind int

const (
	kindFile kind = iota
	kindDevice
	kindStream
	kindCSI
)

// A source is a parsed source string.
type source struct {
	kind   kind
	device int    // V4L2 index, for kindDevice
	target string // what OpenCV is given: an absolute path, the URL, or the CSI camera; never shown
	name   string // what people are shown: no user, password or query
	preset string // of kindCSI
}

// live reports whether the source produces frames at its own pace.
func (s source) live() bool { return s.kind != kindFile }

var (
	deviceNumber = regexp.MustCompile(`^[0-9]+$`)
	devicePath   = regexp.MustCompile(`^/dev/video([0-9]+)$`)
	urlScheme    = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://`)
)

// parseSource tells devices, streams and files apart. It looks at the file
// system only to follow links below /dev.
func parseSource(s string) (source, error) {
	switch {
	case s == "":
		return source{}, fmt.Errorf("camera: %w: the source is empty; want a device (0, /dev/video0, rpi:0, jetson:0), a file, or an http or rtsp URL", ErrSource)
	case strings.ContainsRune(s, 0):
		return source{}, fmt.Errorf("camera: %w: the source contains a zero byte", ErrSource)
	case deviceNumber.MatchString(s):
		return parseDevice(s, s)
	case devicePath.MatchString(s):
		return parseDevice(s, devicePath.FindStringSubmatch(s)[1])
	case csiSource.MatchString(s):
		return parseCSI(s)
	case urlScheme.MatchString(s):
		return parseStream(s)
	case strings.HasPrefix(s, "/dev/"):
		// /dev/v4l/by-id/... are stable names that link to /dev/videoN.
		if p, err := filepath.EvalSymlinks(s); err == nil && devicePath.MatchString(p) {
			return parseDevice(s, devicePath.FindStringSubmatch(p)[1])
		}
	}
	// FFmpeg takes "word:rest" for a protocol; an absolute path is always a file.
	abs, err := filepath.Abs(s)
	if err != nil {
		return source{}, fmt.Errorf("camera: %s: %w: %w", s, ErrSource, err)
	}
	return source{kind: kindFile, target: abs, name: s}, nil
}

func parseDevice(s, digits string) (source, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n > 255 {
		return source{}, fmt.Errorf("camera: %s: %w: V4L2 devices are numbered 0 to 255", s, ErrSource)
	}
	path := fmt.Sprintf("/dev/video%d", n)
	return source{kind: kindDevice, device: n, target: path, name: path}, nil
}

func parseStream(s string) (source, error) {
	scheme := strings.ToLower(urlScheme.FindStringSubmatch(s)[1])
	switch scheme {
	case "http", "https", "rtsp", "rtsps":
	case "file":
		return source{}, fmt.Errorf("camera: %w: file:// URLs are not read; give the path itself", ErrSource)
	default:
		return source{}, fmt.Errorf("camera: %w: scheme %s://; want http, https, rtsp or rtsps", ErrSource, scheme)
	}
	// What url.Parse complains of may be a piece of the password, so neither
	// its error nor the string is shown.
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return source{}, fmt.Errorf("camera: %s://…: %w: not a valid URL; percent-encode special characters in the user name and password", scheme, ErrSource)
	}
	return source{kind: kindStream, target: s, name: redact(u)}, nil
}

// redact names a stream without what may be a secret: user and password, the
// query, and path segments that look like one (some cameras take the password
// as rtsp://host/user=admin&password=...).
func redact(u *url.URL) string {
	if strings.Contains(u.EscapedPath(), "@") {
		// A password with a bare slash in it: what looks like the host is its
		// beginning.
		return u.Scheme + "://…"
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, seg := range segments {
		if strings.ContainsAny(seg, "=&;") || strings.Contains(strings.ToLower(seg), "%3d") {
			segments[i] = "…"
		}
	}
	name := u.Scheme + "://" + u.Host + strings.Join(segments, "/")
	if u.RawQuery != "" {
		name += "?…"
	}
	return name
}

// checkFile says clearly what OpenCV would only call a failure.
func checkFile(src source) error {
	info, err := os.Stat(src.target)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("camera: %s: %w: %w", src.name, ErrNotFound, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("camera: %s: %w: %w", src.name, ErrOpen, err)
	case info.IsDir():
		return fmt.Errorf("camera: %s: %w: it is a folder; want a video file", src.name, ErrOpen)
	case !info.Mode().IsRegular():
		// A pipe would block OpenCV in open(2), where no time-out reaches it.
		return fmt.Errorf("camera: %s: %w: it is neither a regular file nor a V4L2 device (%s)", src.name, ErrOpen, info.Mode().Type())
	case info.Size() == 0:
		return fmt.Errorf("camera: %s: %w: the file is empty", src.name, ErrOpen)
	}
	f, err := os.Open(src.target)
	if err != nil {
		return fmt.Errorf("camera: %s: %w: %w", src.name, ErrOpen, err)
	}
	return f.Close()
}
