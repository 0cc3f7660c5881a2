package sdk

import (
	"errors"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
)

// What can go wrong, for errors.Is. Errors of the file system (fs.ErrNotExist)
// and of the context (context.Canceled) are wrapped too.
var (
	// ErrFormat: the file is no Seedge model; a checkpoint must be imported.
	ErrFormat = modelfile.ErrFormat
	// ErrVersion: the model's format is one that this build does not read.
	ErrVersion = modelfile.ErrVersion
	// ErrChecksum: the model file was altered after it was written.
	ErrChecksum = modelfile.ErrChecksum
	// ErrCorrupt: the model file's content makes no sense.
	ErrCorrupt = modelfile.ErrCorrupt
	// ErrNotImage: what was decoded is in no known image format.
	ErrNotImage = preprocess.ErrNotImage
	// ErrBadImage: the image is damaged, or nil.
	ErrBadImage = preprocess.ErrBadImage
	// ErrImageSize: the image is empty, or larger than is safe to handle.
	ErrImageSize = preprocess.ErrImageSize
	// ErrClosed: the model has been closed.
	ErrClosed = errors.New("model is closed")
	// ErrBusy: another loop over the pipeline's results is still running.
	ErrBusy = errors.New("another loop is running the pipeline")
	// ErrNoEmbedding: the network names no node to take an embedding from.
	ErrNoEmbedding = errors.New("model has no embedding")
	// ErrOption: an option has a value that makes no sense.
	ErrOption = errors.New("bad option")
	// ErrNotFinite: the network's output overflowed; its weights are unusable.
	ErrNotFinite = errors.New("network output is not finite")
)
