package camera

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of linux/videodev2.h that lists devices. All fields are of fixed
// size, so the structures are the same on every architecture; a test compares
// them with the C compiler's.

type capability struct {
	Driver       [16]byte
	Card         [32]byte
	BusInfo      [32]byte
	Version      uint32
	Capabilities uint32
	DeviceCaps   uint32
	_            [3]uint32
}

type formatDescription struct {
	Index       uint32
	Type        uint32
	Flags       uint32
	Description [32]byte
	PixelFormat uint32
	MbusCode    uint32
	_           [3]uint32
}

type frameSize struct {
	Index       uint32
	PixelFormat uint32
	Type        uint32
	Sizes       [6]uint32 // width, height; or min, max, step of width, then of height
	_           [2]uint32
}

type frameInterval struct {
	Index         uint32
	PixelFormat   uint32
	Width, Height uint32
	Type          uint32
	Intervals     [6]uint32 // numerator, denominator; or those of min, max, step
	_             [2]uint32
}

const (
	capVideoCapture       = 0x00000001
	capVideoCaptureMplane = 0x00001000
	capDeviceCaps         = 0x80000000
	bufVideoCapture       = 1
	bufVideoCaptureMplane = 9
	discrete              = 1
)

var (
	queryCap      = iocRead('V', 0, unsafe.Sizeof(capability{}))
	enumFormats   = iocReadWrite('V', 2, unsafe.Sizeof(formatDescription{}))
	enumSizes     = iocReadWrite('V', 74, unsafe.Sizeof(frameSize{}))
	enumIntervals = iocReadWrite('V', 75, unsafe.Sizeof(frameInterval{}))
)

// iocRead and iocReadWrite are _IOR and _IOWR of every architecture that OpenCV's
// cameras are used on (mips, powerpc and sparc differ).
func iocRead(kind, n, size uintptr) uint      { return uint(2<<30 | size<<16 | kind<<8 | n) }
func iocReadWrite(kind, n, size uintptr) uint { return uint(3<<30 | size<<16 | kind<<8 | n) }

// A structure is one of the above, by its address.
type structure interface{ pointer() unsafe.Pointer }

func (s *capability) pointer() unsafe.Pointer        { return unsafe.Pointer(s) }
func (s *formatDescription) pointer() unsafe.Pointer { return unsafe.Pointer(s) }
func (s *frameSize) pointer() unsafe.Pointer         { return unsafe.Pointer(s) }
func (s *frameInterval) pointer() unsafe.Pointer     { return unsafe.Pointer(s) }

func (f file) ioctl(request uint, arg structure) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(f), uintptr(request), uintptr(arg.pointer()))
		if e == 0 {
			return nil
		}
		if e != unix.EINTR {
			return e
		}
	}
}
