package safetensors

import (
	"fmt"

	"github.com/seedge/seedge/internal/atomicfile"
)

// WriteFile writes f to path so that a reader sees the old file or the new one,
// whole, and never a part. When anything fails what was at path before is
// untouched.
func WriteFile(path string, f *File) error {
	file, err := atomicfile.Create(path)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	defer file.Discard()
	if err := Write(file, f); err != nil {
		return fmt.Errorf("safetensors: writing %s: %w", path, err)
	}
	if err := file.Commit(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}
