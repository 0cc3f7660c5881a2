package dataset

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// encrypted is the bit of a zip entry's flags that says so.
const encrypted = 1

func listZip(file string) ([]Item, io.Closer, error) {
	z, err := zip.OpenReader(file)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // nothing is extracted, so no path can harm
		return nil, nil, fmt.Errorf("%s: %w: %w", file, ErrArchive, err)
	}
	var items []Item
	seen := map[string]bool{}
	for _, f := range z.File {
		// Some Windows programs write backslashes. Rooted, a name cannot climb.
		name := path.Clean("/" + strings.ReplaceAll(f.Name, `\`, "/"))[1:]
		if f.FileInfo().IsDir() || !wanted(name) {
			continue
		}
		if err := checkEntry(f, seen[name]); err != nil {
			_ = z.Close()
			return nil, nil, fmt.Errorf("%s: %w: entry %q %w", file, ErrArchive, f.Name, err)
		}
		seen[name] = true
		items = append(items, Item{Name: name, Class: classOf(name), Path: file + ": " + name, open: f.Open})
	}
	return items, z, nil
}

func checkEntry(f *zip.File, twice bool) error {
	switch {
	case twice:
		return errors.New("is there twice")
	case f.Flags&encrypted != 0:
		return errors.New("is encrypted; unpack the zip with its password first")
	case !f.Mode().IsRegular():
		return fmt.Errorf("is not a regular file (%s)", f.Mode().Type())
	case f.UncompressedSize64 > maxEncoded:
		return fmt.Errorf("claims %d bytes, more than %d MiB for one image", f.UncompressedSize64, maxEncoded>>20)
	}
	return nil
}
