package sdk

import (
	"image"
	"io"

	"github.com/seedge/seedge/internal/preprocess"
)

// OpenImage reads the image file at path: JPEG, PNG, GIF (its first frame), WebP
// or BMP. A JPEG is turned upright as its EXIF orientation says. A file of
// another kind is an ErrNotImage, a damaged one an ErrBadImage.
func OpenImage(path string) (image.Image, error) { return preprocess.Open(path) }

// DecodeImage is OpenImage for a reader.
func DecodeImage(r io.Reader) (image.Image, error) { return preprocess.Decode(r) }
