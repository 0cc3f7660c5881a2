package checkpoint

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"hash/crc32"
	"path"
	"slices"

	"github.com/nlpodyssey/gopickle/types"
)

// readZip reads what torch.save has written since PyTorch 1.6: a zip of stored
// (never compressed) records NAME/data.pkl and, for each storage, NAME/data/KEY.
func readZip(b []byte) (*StateDict, error) {
	a, err := openArchive(b)
	if err != nil {
		return nil, err
	}
	pkl, err := a.record("data.pkl")
	if err != nil {
		return nil, err
	}
	if _, ok := a.files[a.prefix+"byteorder"]; ok {
		order, err := a.record("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("%w: its byte order is %.20q, want little; save it again on a little-endian machine", ErrFormat, order)
		}
	}
	storages := map[string]*storage{}
	root, _, err := unpickle(pkl, func(id any) (any, error) {
		s, err := newStorage(id, storages)
		if err != nil || s.data != nil {
			return s, err
		}
		data, err := a.record("data/" + s.key)
		if err != nil {
			return nil, err
		}
		return s, s.setData(data)
	})
	if err != nil {
		return nil, err
	}
	return stateDict(root, len(b))
}

// newStorage resolves a persistent id ("storage", class, key, location, number
// of elements), as one storage for each key.
func newStorage(id any, known map[string]*storage) (*storage, error) {
	t, ok := id.(*types.Tuple)
	if !ok || t.Len() < 5 || t.Get(0) != "storage" {
		return nil, fmt.Errorf("a persistent id is %s, want a storage", describe(id))
	}
	kind, okKind := t.Get(1).(storageKind)
	key, okKey := t.Get(2).(string)
	n, okN := t.Get(4).(int)
	if !okKind || !okKey || !okN || n < 0 {
		return nil, fmt.Errorf("a storage is given by values of types %T, %T and %T, want a class, a key and a size", t.Get(1), t.Get(2), t.Get(4))
	}
	if s := known[key]; s != nil {
		if s.kind != kind || s.n != n {
			return nil, fmt.Errorf("storage %.40q is %d elements of %s in one place and %d of %s in another", key, s.n, s.kind.dtype, n, kind.dtype)
		}
		return s, nil
	}
	known[key] = &storage{kind: kind, key: key, n: n}
	return known[key], nil
}

// archive is a zip in memory.
type archive struct {
	raw    []byte
	prefix string // the folder that torch.save puts all records in, with its slash
	files  map[string]span
}

// span is where a record lies in the archive.
type span struct {
	name     string
	from, to int64
	crc      uint32
}

// openArchive lists the records and checks their places before anything is read.
func openArchive(b []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: its zip directory cannot be read (%w): the file was cut short or is damaged", ErrFormat, err)
	}
	prefix, err := findPickle(z.File)
	if err != nil {
		return nil, err
	}
	a := &archive{raw: b, prefix: prefix, files: make(map[string]span, len(z.File))}
	var spans []span
	for _, f := range z.File {
		if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
			return nil, fmt.Errorf("%w: its record %q is compressed, which torch.save never does; save the weights again with torch.save(model.state_dict(), path)", ErrFormat, f.Name)
		}
		from, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("%w: record %q: %w", ErrFormat, f.Name, err)
		}
		if from < 0 || from > int64(len(b)) || f.UncompressedSize64 > uint64(int64(len(b))-from) {
			return nil, fmt.Errorf("%w: record %q of %d bytes at %d lies outside the file of %d", ErrFormat, f.Name, f.UncompressedSize64, from, len(b))
		}
		s := span{f.Name, from, from + int64(f.UncompressedSize64), f.CRC32}
		if _, twice := a.files[f.Name]; twice {
			return nil, fmt.Errorf("%w: it has the record %q twice", ErrFormat, f.Name)
		}
		a.files[f.Name] = s
		spans = append(spans, s)
	}
	// Records laid over each other would let a small file hold much data.
	slices.SortFunc(spans, func(x, y span) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return nil, fmt.Errorf("%w: its records %q and %q overlap", ErrFormat, spans[i-1].name, spans[i].name)
		}
	}
	return a, nil
}

// findPickle returns the folder of the one record called data.pkl.
func findPickle(files []*zip.File) (prefix string, err error) {
	pickles := 0
	for _, f := range files {
		dir, base := path.Split(f.Name)
		switch base {
		case "constants.pkl":
			return "", fmt.Errorf("%w: it is a TorchScript archive; load it with torch.jit.load and save the weights: torch.save(model.state_dict(), path)", ErrFormat)
		case "data.pkl":
			pickles++
			prefix = dir
		}
	}
	if pickles != 1 {
		return "", fmt.Errorf("%w: a zip with %d records called data.pkl, want 1: torch.save did not write it", ErrFormat, pickles)
	}
	return prefix, nil
}

// record returns the bytes of a record, which are a part of the file's, after
// comparing their checksum. A checksum of zero means that the writer left it
// out (torch.serialization.set_crc32_options(False)).
func (a *archive) record(name string) ([]byte, error) {
	s, ok := a.files[a.prefix+name]
	if !ok {
		return nil, fmt.Errorf("%w: it has no record %q", ErrFormat, name)
	}
	data := a.raw[s.from:s.to:s.to]
	if got := crc32.ChecksumIEEE(data); got != s.crc && s.crc != 0 {
		return nil, fmt.Errorf("%w: record %q has the checksum %08x, want %08x: the file is damaged", ErrFormat, name, got, s.crc)
	}
	return data, nil
}
