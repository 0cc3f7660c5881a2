package camera

import "time"

// Info is what a source says of itself. All but Source and Live are hints:
// live sources and damaged files are often wrong about them. 0 means unknown.
type Info struct {
	Source string  // for people: without user, password and query
	Live   bool    // a device or stream, not a file
	Width  int     // pixels
	Height int     // pixels
	FPS    float64 // frames per second
	Frames int     // in the whole file
}

// A capture is an open source. It is used by one goroutine at a time.
type capture interface {
	// read waits for the next frame and puts it into f, reusing f's buffer.
	// False without an error means that the source gave none: it ended, was
	// lost, or timed out.
	read(f *Frame) (bool, error)
	// position is the time of the last frame within the medium.
	position() time.Duration
	info() Info
	close()
}

// An opener opens a capture; it may block, for about the open time-out.
type opener func(source, *options) (capture, error)
