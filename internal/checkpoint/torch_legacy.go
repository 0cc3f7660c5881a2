package checkpoint

import (
	"encoding/binary"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"
)

// legacyMagic is the first pickle of the older format: PROTO 2, a LONG1 of ten
// bytes with torch's magic number 0x1950a86a20f9469cfc6c, STOP.
var legacyMagic = []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")

// legacyVersion is the one version that the older format ever had.
const legacyVersion = 1001

// readLegacy reads what torch.save wrote before PyTorch 1.6, and still writes
// with _use_new_zipfile_serialization=False: five pickles (magic number,
// version, machine, object, list of storage keys), then for each key the number
// of elements as an int64 and the elements.
func readLegacy(b []byte) (*StateDict, error) {
	rest := b[len(legacyMagic):]
	next := func(persistent func(any) (any, error)) (any, error) {
		v, n, err := unpickle(rest, persistent)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
		return v, nil
	}
	version, err := next(nil)
	if err != nil {
		return nil, err
	}
	if version != legacyVersion {
		return nil, fmt.Errorf("%w: version %s of the older format, want %d", ErrFormat, describe(version), legacyVersion)
	}
	machine, err := next(nil)
	if err != nil {
		return nil, err
	}
	if err := littleEndian(machine); err != nil {
		return nil, err
	}
	storages := map[string]*storage{}
	root, err := next(func(id any) (any, error) {
		if t, ok := id.(*types.Tuple); ok && t.Len() > 5 && t.Get(5) != nil {
			return nil, fmt.Errorf("a storage is a view of another, which torch.save stopped writing in 2017")
		}
		return newStorage(id, storages)
	})
	if err != nil {
		return nil, err
	}
	keys, err := next(nil)
	if err != nil {
		return nil, err
	}
	if err := readStorages(keys, storages, rest); err != nil {
		return nil, err
	}
	return stateDict(root, len(b))
}

func littleEndian(machine any) error {
	items, err := dictItems(machine)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.key == "little_endian" && it.value == false {
			return fmt.Errorf("%w: it was saved on a big-endian machine; save it again on a little-endian one", ErrFormat)
		}
	}
	return nil
}

// readStorages cuts b into the storages that keys lists, and demands that each
// storage of the pickle gets its data and no byte is left.
func readStorages(keys any, storages map[string]*storage, b []byte) error {
	list, ok := keys.(*types.List)
	if !ok {
		return fmt.Errorf("%w: its list of storages is %s", ErrFormat, describe(keys))
	}
	for _, k := range *list {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || s.data != nil {
			return fmt.Errorf("%w: its list of storages has %s, which is unknown or twice there", ErrFormat, describe(k))
		}
		if len(b) < 8 {
			return fmt.Errorf("%w: cut short before storage %q", ErrFormat, key)
		}
		n := binary.LittleEndian.Uint64(b)
		b = b[8:]
		size := uint64(s.kind.dtype.Size())
		if n != uint64(s.n) || n > uint64(len(b))/size {
			return fmt.Errorf("%w: storage %q has %d elements, want %d, and %d bytes follow: the file was cut short or is damaged", ErrFormat, key, n, s.n, len(b))
		}
		if err := s.setData(b[: n*size : n*size]); err != nil {
			return err
		}
		b = b[n*size:]
	}
	for key, s := range storages {
		if s.data == nil {
			return fmt.Errorf("%w: storage %q has no data", ErrFormat, key)
		}
	}
	if len(b) != 0 {
		return fmt.Errorf("%w: %d bytes follow its last storage", ErrFormat, len(b))
	}
	return nil
}
