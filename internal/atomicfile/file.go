package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// File is a file being written. Exactly one of Commit and Discard ends it;
// Discard after Commit does nothing, so it can be deferred.
type File struct {
	path string
	tmp  *os.File
	buf  *bufio.Writer
	done bool
}

// Create opens a temporary file beside path. Nothing is at path, or what was
// there stays, until Commit.
func Create(path string) (*File, error) {
	// A rename would replace a device or a pipe by a file of that name.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("writing %s: it exists and is not a regular file (%s); choose another name", path, st.Mode().Type())
	}
	tmp, err := createTemp(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return &File{path: path, tmp: tmp, buf: bufio.NewWriterSize(tmp, 1<<16)}, nil
}

// Write appends to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.buf.Write(p)
	if err != nil {
		err = explain(f.path, err)
	}
	return n, err
}

// Commit flushes the file to the disk and gives it its name. If it fails, the
// temporary file is gone and path is as it was.
func (f *File) Commit() error {
	if err := f.commit(); err != nil {
		f.Discard()
		return explain(f.path, err)
	}
	f.done = true
	syncDir(filepath.Dir(f.path))
	return nil
}

func (f *File) commit() error {
	if f.done {
		return os.ErrClosed
	}
	if err := f.buf.Flush(); err != nil {
		return err
	}
	if err := f.tmp.Sync(); err != nil {
		return err
	}
	if err := f.tmp.Close(); err != nil {
		return err
	}
	return os.Rename(f.tmp.Name(), f.path)
}

// Discard removes the temporary file.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	_ = f.tmp.Close() // a second Close does no harm
	_ = os.Remove(f.tmp.Name())
}

// createTemp opens a new file beside path. os.CreateTemp would make it private
// to the user; results get the permissions that the umask allows.
func createTemp(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for range 100 {
		name := fmt.Sprintf("%s.%s.%08x.tmp", dir, base, rand.Uint32())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
	return nil, errors.New("found no free temporary name")
}

// syncDir makes the rename survive a power cut where the system can do that.
// The file is complete in any case, so a refusal is no error.
func syncDir(dir string) {
	if runtime.GOOS == "windows" {
		return
	}
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// explain says what can be done about the errors that users meet.
func explain(path string, err error) error {
	dir := filepath.Dir(path)
	advice := ""
	switch {
	case errors.Is(err, syscall.ENOSPC):
		advice = fmt.Sprintf("; the disk is full: free some space in %s or write to another folder", dir)
	case errors.Is(err, os.ErrNotExist):
		advice = fmt.Sprintf("; create the folder %s first", dir)
	case errors.Is(err, os.ErrPermission):
		advice = fmt.Sprintf("; choose a folder other than %s, one that you may write to", dir)
	}
	return fmt.Errorf("writing %s: %w%s", path, err, advice)
}
