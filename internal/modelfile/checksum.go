package modelfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"github.com/seedge/seedge/internal/safetensors"
)

// checksum is the SHA-256 over everything a file says, apart from the checksum
// itself. It does not depend on the order of keys and tensors in the file, so a
// file that another safetensors library has rewritten keeps it.
func checksum(f *safetensors.File) string {
	d := digest{sha256.New()}
	keys := slices.Sorted(maps.Keys(f.Metadata))
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == keyChecksum })
	d.number(len(keys))
	for _, k := range keys {
		d.text(k)
		d.text(f.Metadata[k])
	}
	tensors := slices.SortedFunc(slices.Values(f.Tensors), func(a, b safetensors.Tensor) int {
		return cmp.Compare(a.Name, b.Name)
	})
	d.number(len(tensors))
	for _, t := range tensors {
		d.text(t.Name)
		d.text(string(t.DType))
		d.number(len(t.Shape))
		for _, n := range t.Shape {
			d.number(n)
		}
		d.number(len(t.Data))
		d.Write(t.Data)
	}
	return "sha256:" + hex.EncodeToString(d.Sum(nil))
}

// digest writes every piece behind its length, so that no two contents give the
// same stream of bytes. Writing to a hash never fails.
type digest struct{ hash.Hash }

func (d digest) number(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.Write(b[:])
}

func (d digest) text(s string) {
	d.number(len(s))
	d.Write([]byte(s))
}
