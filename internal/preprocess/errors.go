package preprocess

import "errors"

var (
	// ErrSpec says that a [Spec] makes no sense, or that no preset has the name asked for.
	ErrSpec = errors.New("bad preprocessing")

	// ErrImageSize says that an image is empty, or larger than is safe to handle.
	ErrImageSize = errors.New("bad image size")

	// ErrBadImage says that an image was recognised but is broken: a truncated
	// or corrupt file, or an image.Image whose buffers do not fit its bounds.
	ErrBadImage = errors.New("damaged image")

	// ErrNotImage says that data is in none of the formats that [Decode] reads.
	ErrNotImage = errors.New("not an image")

	// ErrBuffer says that a destination has the wrong length.
	ErrBuffer = errors.New("wrong buffer length")
)
