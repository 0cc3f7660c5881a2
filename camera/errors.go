package camera

import "errors"

// Every error of this package wraps one of these, or the error of a cancelled
// context. Errors name the source with all that may be a password left out.
var (
	// ErrSource: the string names no kind of source that Open knows.
	ErrSource = errors.New("unsupported source")
	// ErrOption: an option is out of range or does not fit the source.
	ErrOption = errors.New("bad option")
	// ErrNotFound: there is no such file or device. Errors that wrap it wrap
	// fs.ErrNotExist too.
	ErrNotFound = errors.New("not found")
	// ErrOpen: the source is there but gives no video.
	ErrOpen = errors.New("cannot be opened")
	// ErrSize: the device does not offer the size asked for with WithSize.
	ErrSize = errors.New("size not offered")
	// ErrRate: the device does not offer the rate asked for with WithRate.
	ErrRate = errors.New("frame rate not offered")
	// ErrPixelFormat: the device does not offer what WithPixelFormat asked for.
	ErrPixelFormat = errors.New("pixel format not offered")
	// ErrLost: a live source ended: unplugged, disconnected, switched off.
	ErrLost = errors.New("source lost")
	// ErrTimeout: the source did not open, or gave no whole frame, in time.
	ErrTimeout = errors.New("timed out")
	// ErrFormat: the source delivers something other than 8-bit colour frames.
	ErrFormat = errors.New("unsupported frame format")
	// ErrClosed: the camera, writer or window has been closed.
	ErrClosed = errors.New("closed")
	// ErrBusy: another loop over this camera's frames is still running.
	ErrBusy = errors.New("another loop is reading the frames")
	// ErrWrite: a video could not be written whole.
	ErrWrite = errors.New("video not written")
	// ErrBuild: the program was built without what the call needs.
	ErrBuild = errors.New("not in this build")
)
