package dataset

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

var (
	// ErrEmpty: a folder or zip has no file with an image's name.
	ErrEmpty = errors.New("no images")
	// ErrImage: a file with an image's name is none, or cannot be read.
	ErrImage = errors.New("unreadable image")
	// ErrArchive: a zip is damaged or of a kind that is not read.
	ErrArchive = errors.New("unreadable zip")
)

// extensions are the endings, in lower case, of what is taken for an image in
// folders and zips.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}

// Collection is a list of images in order of name. It must be closed.
type Collection struct {
	path   string
	items  []Item
	closer io.Closer
}

// Open lists the images at p: a folder with all folders below it, a zip
// (recognised by content), or one image file, whatever it is called.
//
// Items are in byte order of their names. In folders and zips only files with
// an image's ending count; hidden files and folders and macOS's __MACOSX are
// left out, and links to folders are not followed. If nothing is left the error
// wraps ErrEmpty. A damaged zip wraps ErrArchive.
func Open(p string) (*Collection, error) {
	st, err := os.Stat(p)
	if err != nil {
		return nil, err
	}
	c := &Collection{path: p}
	switch zipped, err := isZip(p, st); {
	case err != nil:
		return nil, err
	case st.IsDir():
		c.items, err = listFolder(p)
		if err != nil {
			return nil, err
		}
	case zipped:
		c.items, c.closer, err = listZip(p)
		if err != nil {
			return nil, err
		}
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: it is neither a file nor a folder (%s)", p, ErrImage, st.Mode().Type())
	default:
		c.items = []Item{fileItem(p, path.Base(slashed(p)), "")}
	}
	if len(c.items) == 0 {
		_ = c.Close()
		return nil, fmt.Errorf("%w in %s; want files that end in %s", ErrEmpty, p, strings.Join(extensions, " "))
	}
	slices.SortFunc(c.items, func(a, b Item) int { return cmp.Compare(a.Name, b.Name) })
	return c, nil
}

// isZip looks for the signature of a first entry, or of an empty archive.
func isZip(p string, st os.FileInfo) (bool, error) {
	if !st.Mode().IsRegular() {
		return false, nil
	}
	f, err := os.Open(p)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := bufio.NewReaderSize(f, 16).Peek(4)
	if err != nil && err != io.EOF {
		return false, err
	}
	s := string(head)
	return s == "PK\x03\x04" || s == "PK\x05\x06" || strings.EqualFold(path.Ext(slashed(p)), ".zip"), nil
}

// Path is what was opened.
func (c *Collection) Path() string { return c.path }

// Len is the number of images.
func (c *Collection) Len() int { return len(c.items) }

// Items returns the images in order of name. The slice is the caller's.
func (c *Collection) Items() []Item { return slices.Clone(c.items) }

// Classes returns the names of the folders that hold images, in byte order; nil
// when no image lies in a folder. Which label a folder stands for is for the
// caller to know.
func (c *Collection) Classes() []string {
	var out []string
	for _, it := range c.items {
		if it.Class != "" {
			out = append(out, it.Class)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Close releases the zip. Items cannot be opened afterwards.
func (c *Collection) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// Sample picks at most n items, evenly spaced over all of them, in order: from
// class folders it so takes of every class alike. n below 1 picks all.
func Sample(items []Item, n int) []Item {
	if n < 1 || n >= len(items) {
		return items
	}
	out := make([]Item, n)
	for i := range out {
		// The middle of the i-th of n equal parts.
		out[i] = items[(2*i+1)*len(items)/(2*n)]
	}
	return out
}
