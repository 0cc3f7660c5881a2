package modelfile

import (
	"fmt"
	"regexp"
	"strconv"
)

// The version that this build writes. It reads every minor version of the same
// major: a minor version only adds keys that an older reader may ignore.
const (
	versionMajor = 1
	versionMinor = 0
)

var versionForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)

// newerMinor reports whether the version is of this major and a later minor, so
// that unknown keys are to be expected. A version that cannot be read is an error.
func newerMinor(version string) (bool, error) {
	m := versionForm.FindStringSubmatch(version)
	if m == nil {
		return false, fmt.Errorf("%w: %s is %q, want major.minor, such as \"%d.%d\"", ErrCorrupt, keyVersion, version, versionMajor, versionMinor)
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	if err1 != nil || err2 != nil || major != versionMajor {
		advice := "upgrade Seedge to read it"
		if major < versionMajor {
			advice = "import and quantise it again with this version of Seedge"
		}
		return false, fmt.Errorf("%w: the file has format version %s, and this build reads %d.x; %s", ErrVersion, version, versionMajor, advice)
	}
	return minor > versionMinor, nil
}
