package camera

import (
	"fmt"
	"image"
	"os"
	"runtime"
	"time"
)

// A Window shows pictures on the screen. It exists in programs built with the
// tag gocv_highgui as well, which needs OpenCV's window module
// (libopencv-highgui-dev, part of libopencv-dev). OpenCV wants all calls to
// windows to come from one thread: use a Window in the goroutine that opened
// it, best the one of main.
type Window struct {
	title string
	pane  pane // nil once closed
	bgr   []byte
}

// A pane is the window system's part of a Window.
type pane interface {
	show(bgr []byte, width, height int) error
	// key waits up to d for a key and returns its code, or -1.
	key(d time.Duration) int
	// open reports whether the user has left the window open.
	open() bool
	close()
}

// NewWindow opens a window. Errors wrap ErrBuild in programs built without
// windows and ErrOpen where there is no screen.
func NewWindow(title string) (*Window, error) {
	// The toolkits that OpenCV draws with end the program if they find no
	// screen.
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil, fmt.Errorf("camera: window %q: %w: there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)", title, ErrOpen)
	}
	p, err := openPane(title)
	if err != nil {
		return nil, fmt.Errorf("camera: window %q: %w", title, err)
	}
	return &Window{title: title, pane: p}, nil
}

// Show shows a picture and waits up to d, at least 1 ms, for a key, whose code
// it returns, or -1. The error wraps ErrClosed when the user has closed the
// window.
func (w *Window) Show(img image.Image, d time.Duration) (key int, err error) {
	if w.pane == nil || !w.pane.open() {
		return -1, fmt.Errorf("camera: window %q: %w", w.title, ErrClosed)
	}
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return -1, fmt.Errorf("camera: window %q: %w: an empty picture", w.title, ErrFormat)
	}
	if n := size.X * size.Y * 3; cap(w.bgr) < n {
		w.bgr = make([]byte, n)
	} else {
		w.bgr = w.bgr[:n]
	}
	packBGR(w.bgr, img)
	if err := w.pane.show(w.bgr, size.X, size.Y); err != nil {
		return -1, fmt.Errorf("camera: window %q: %w", w.title, err)
	}
	return w.pane.key(max(d, time.Millisecond)), nil
}

// Close closes the window. Closing twice is no error.
func (w *Window) Close() error {
	if w.pane != nil {
		w.pane.close()
		w.pane = nil
	}
	return nil
}
