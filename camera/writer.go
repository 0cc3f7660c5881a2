package camera

import (
	"encoding/binary"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// maxVideo bounds the file. Beyond 1 GiB an AVI goes on in further chunks,
// which neither every player nor checkAVI follows.
const maxVideo = 1_000_000_000

// A Writer writes a Motion JPEG video (.avi). It writes to a temporary name in
// the same folder; only Close, once the video is whole and on the disk, gives
// it its own name. Its methods may be called from any goroutine.
type Writer struct {
	path, temp    string
	width, height int

	mu     sync.Mutex
	enc    encoder // nil after Close or Abort
	bgr    []byte  // packed rows of the frame being written
	frames int
}

// An encoder writes packed BGR frames to a file and finishes it when closed.
type encoder interface {
	write(bgr []byte) error
	close()
}

// NewWriter begins a video of width x height pixels at fps frames per second.
// The codec wants even sizes: of odd ones the last row or column is left out.
// A file of that name is replaced when Close succeeds, and not before. Errors
// wrap ErrOption, ErrWrite or ErrBuild.
func NewWriter(path string, fps float64, width, height int) (*Writer, error) {
	if filepath.Ext(path) != ".avi" {
		return nil, fmt.Errorf("camera: %s: %w: videos are written as Motion JPEG; want a name ending in .avi", path, ErrOption)
	}
	if math.IsNaN(fps) || fps < 0.1 || fps > 1000 {
		return nil, fmt.Errorf("camera: %s: %w: %v frames per second; want 0.1 to 1000", path, ErrOption, fps)
	}
	const most = 1<<16 - 1 // JPEG's own limit
	if width < 2 || height < 2 || width > most || height > most {
		return nil, fmt.Errorf("camera: %s: %w: frames of %dx%d; want 2 to %d pixels each", path, ErrOption, width, height, most)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("camera: %s: %w: it exists and is no regular file", path, ErrWrite)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.avi")
	if err != nil {
		return nil, fmt.Errorf("camera: %s: %w: %w", path, ErrWrite, err)
	}
	if err := temp.Close(); err != nil {
		_ = os.Remove(temp.Name())
		return nil, fmt.Errorf("camera: %s: %w: %w", path, ErrWrite, err)
	}
	w := &Writer{path: path, temp: temp.Name(), width: width, height: height, bgr: make([]byte, width*height*3)}
	if w.enc, err = openEncoder(temp.Name(), fps, width, height); err != nil {
		_ = os.Remove(w.temp)
		return nil, fmt.Errorf("camera: %s: %w", path, err)
	}
	return w, nil
}

// Write appends a picture, which must have the video's size. It reads packed
// BGR pixels (a Frame) and *image.RGBA directly and every other image pixel by
// pixel. An error leaves the video as it was, and it may be tried again.
func (w *Writer) Write(img image.Image) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.enc == nil {
		return fmt.Errorf("camera: %s: %w", w.path, ErrClosed)
	}
	if size := img.Bounds().Size(); size != image.Pt(w.width, w.height) {
		return fmt.Errorf("camera: %s: %w: a frame of %dx%d; the video is %dx%d", w.path, ErrWrite, size.X, size.Y, w.width, w.height)
	}
	if info, err := os.Stat(w.temp); err == nil && info.Size() > maxVideo {
		return fmt.Errorf("camera: %s: %w: the video has reached %d bytes, the most a plain AVI file holds; close it and begin another", w.path, ErrWrite, int64(maxVideo))
	}
	packBGR(w.bgr, img)
	if err := w.enc.write(w.bgr); err != nil {
		return fmt.Errorf("camera: %s: %w: %w", w.path, ErrWrite, err)
	}
	w.frames++
	return nil
}

// Close finishes the video and gives it its name. On an error (a full disk, no
// frame written) there is no video, and what had that name before is still
// there. Closing again is no error.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.enc == nil {
		return nil
	}
	w.enc.close()
	w.enc = nil
	if err := w.settle(); err != nil {
		_ = os.Remove(w.temp)
		return fmt.Errorf("camera: %s: %w: %w", w.path, ErrWrite, err)
	}
	return nil
}

// Abort drops the video. After Close it does nothing, so it may be deferred.
func (w *Writer) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.enc != nil {
		w.enc.close()
		w.enc = nil
		_ = os.Remove(w.temp)
	}
}

func (w *Writer) settle() error {
	if w.frames == 0 {
		return fmt.Errorf("no frame was written")
	}
	f, err := os.OpenFile(w.temp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := checkAVI(f, w.frames); err != nil {
		return err
	}
	// CreateTemp made it private; a video is as public as any other file.
	mode := fs.FileMode(0o644)
	if old, err := os.Stat(w.path); err == nil {
		mode = old.Mode().Perm()
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(w.temp, w.path)
}

// checkAVI makes sure that the file is as long as its header says and holds
// all frames. OpenCV reports neither a full disk nor any other failed write.
func checkAVI(f *os.File, frames int) error {
	var head [52]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("the file has no header (is the disk full?): %w", err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:12]) != "AVI " || string(head[24:28]) != "avih" {
		return fmt.Errorf("the file has no AVI header (is the disk full?)")
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if want := int64(binary.LittleEndian.Uint32(head[4:])) + 8; info.Size() != want {
		return fmt.Errorf("%d bytes on disk of %d (is the disk full?)", info.Size(), want)
	}
	if got := binary.LittleEndian.Uint32(head[48:]); int64(got) != int64(frames) {
		return fmt.Errorf("%d frames on disk of %d (is the disk full?)", got, frames)
	}
	return nil
}

// packBGR converts a picture to packed BGR rows.
func packBGR(dst []byte, img image.Image) {
	b := img.Bounds()
	row := b.Dx() * 3
	switch src := img.(type) {
	case *Frame:
		copy(dst, src.pix)
	case *image.RGBA:
		for y := range b.Dy() {
			from := src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y):]
			to := dst[y*row : (y+1)*row]
			for x := range b.Dx() {
				to[3*x], to[3*x+1], to[3*x+2] = from[4*x+2], from[4*x+1], from[4*x]
			}
		}
	case interface {
		BGR() (pix []byte, stride int)
	}:
		pix, stride := src.BGR()
		for y := range b.Dy() {
			copy(dst[y*row:(y+1)*row], pix[y*stride:])
		}
	default:
		for y := range b.Dy() {
			to := dst[y*row : (y+1)*row]
			for x := range b.Dx() {
				r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				to[3*x], to[3*x+1], to[3*x+2] = byte(bl>>8), byte(g>>8), byte(r>>8)
			}
		}
	}
}
