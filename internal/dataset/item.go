package dataset

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seedge/seedge/internal/preprocess"
)

// maxEncoded bounds the bytes of one image file. A zip entry can expand a
// thousandfold; this is where a bomb ends.
const maxEncoded = 128 << 20

// Item is one image of a collection.
type Item struct {
	// Name is the path inside the folder or zip, with slashes; the base name
	// of a single file.
	Name string
	// Class is the folder the image lies in, its own name only; empty when it
	// lies at the top.
	Class string
	// Path names the image in messages: the file's path, or that of the zip and
	// the name in it.
	Path string

	open func() (io.ReadCloser, error)
}

func fileItem(file, name, class string) Item {
	return Item{Name: name, Class: class, Path: file, open: func() (io.ReadCloser, error) { return openRegular(file) }}
}

// openRegular refuses a pipe called cat.jpg, which would block for ever.
func openRegular(file string) (io.ReadCloser, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file (%s)", st.Mode().Type())
	}
	return os.Open(file)
}

// Bytes reads the encoded file. Errors name it and wrap ErrImage.
func (it Item) Bytes() ([]byte, error) {
	r, err := it.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", it.Path, ErrImage, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxEncoded+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", it.Path, ErrImage, err)
	}
	if len(b) > maxEncoded {
		return nil, fmt.Errorf("%s: %w: more than %d MiB for one image", it.Path, ErrImage, maxEncoded>>20)
	}
	return b, nil
}

// Decode reads the image, upright. Errors name it and wrap ErrImage.
func (it Item) Decode() (image.Image, error) {
	b, err := it.Bytes()
	if err != nil {
		return nil, err
	}
	img, err := preprocess.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", it.Path, ErrImage, err)
	}
	return img, nil
}

// classOf is the name of the folder that a slash-separated name lies in.
func classOf(name string) string {
	dir := path.Dir(name)
	if dir == "." {
		return ""
	}
	return path.Base(dir)
}

// wanted reports whether a name inside a folder or zip is an image's.
func wanted(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if hidden(part) {
			return false
		}
	}
	return slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

func hidden(part string) bool {
	return part == "__MACOSX" || strings.HasPrefix(part, ".") && part != "." && part != ".."
}

func slashed(p string) string { return filepath.ToSlash(p) }
