package safetensors

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

// WriteFile writes f to path so that a reader sees the old file or the new one,
// whole, and never a part: the bytes go to a temporary name in the same folder,
// are flushed to the disk, and take the name in one step. When anything fails
// the temporary file is removed and what was at path before is untouched.
func WriteFile(path string, f *File) error {
	if err := writeFile(path, f); err != nil {
		return fmt.Errorf("safetensors: writing %s: %w%s", path, err, advice(err, filepath.Dir(path)))
	}
	return nil
}

// advice is what the user can do about err, or nothing.
func advice(err error, dir string) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Sprintf("; the disk is full: free some space in %s or write to another folder", dir)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Sprintf("; create the folder %s first", dir)
	case errors.Is(err, os.ErrPermission):
		return fmt.Sprintf("; choose a folder other than %s, one that you may write to", dir)
	}
	return ""
}

func writeFile(path string, f *File) (err error) {
	// A rename would replace a device or a pipe by a file of that name.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("it exists and is not a regular file (%s); choose another name", st.Mode().Type())
	}
	tmp, err := createTemp(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close() // a second Close does no harm
			os.Remove(tmp.Name())
		}
	}()
	w := bufio.NewWriterSize(tmp, 1<<16)
	if err := Write(w, f); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	// From here the new file is in place; only its survival of a power cut
	// depends on what follows, so there is nothing left to remove.
	if serr := syncDir(filepath.Dir(path)); serr != nil {
		return fmt.Errorf("the file is complete, but the folder could not be flushed to the disk: %w", serr)
	}
	return nil
}

// createTemp opens a new file beside path. os.CreateTemp would make it private
// to the user; a model file gets the permissions that the umask allows.
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

// syncDir makes a rename in dir durable. Windows has no such call, and flushes
// the directory with the file.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot flush a directory and say so.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
