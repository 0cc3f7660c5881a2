package modelfile

import "errors"

// The kinds of failure, for errors.Is. Errors of the file system, such as
// fs.ErrNotExist, wrap none of them.
var (
	// ErrFormat: the file is something else than a Seedge model, for example a
	// checkpoint that has not been imported yet.
	ErrFormat = errors.New("not a Seedge model")
	// ErrVersion: the file's format is one that this build does not read.
	ErrVersion = errors.New("unsupported model version")
	// ErrChecksum: the file was altered after it was written.
	ErrChecksum = errors.New("model checksum mismatch")
	// ErrCorrupt: the file is a Seedge model, but its content makes no sense.
	ErrCorrupt = errors.New("corrupt model")
	// ErrModel: a Model in memory is not fit to be written.
	ErrModel = errors.New("inconsistent model")
)
