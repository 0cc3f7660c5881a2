package camera

// A Device is a V4L2 camera of this machine.
type Device struct {
	Path   string // /dev/video0: what Open takes
	Stable string // a name below /dev/v4l/by-id that stays the same when others are plugged in; "" if there is none
	Name   string // as its maker calls it
	Driver string
	Bus    string // where it is plugged in
	Modes  []Mode // what it offers, in the driver's order
	Err    error  // why it could not be asked, if so; then only Path and Name are known
}

// A Mode is a format and size that a device offers, and the rates of it.
type Mode struct {
	Pixels        string // FourCC; WithPixelFormat takes YUYV and MJPG
	Width, Height int    // pixels; of a range, the largest
	// MinWidth and MinHeight are the smallest of a range of sizes, and equal to
	// Width and Height of a single one.
	MinWidth, MinHeight int
	Rates               []float64 // frames per second, in the driver's order; of a range the fastest and the slowest
}
