package dataset

import (
	"io/fs"
	"os"
	"path/filepath"
)

func listFolder(root string) ([]Item, error) {
	var items []Item
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return &fs.PathError{Op: "reading folder", Path: filepath.Join(root, filepath.FromSlash(name)), Err: cause(err)}
		}
		if d.IsDir() {
			if name != "." && hidden(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if wanted(name) {
			items = append(items, fileItem(filepath.Join(root, filepath.FromSlash(name)), name, classOf(name)))
		}
		return nil
	})
	return items, err
}

// cause drops the path of an error that is given a better one.
func cause(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}
