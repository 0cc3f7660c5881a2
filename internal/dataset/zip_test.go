package dataset

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamesThatClimb(t *testing.T) {
	c := open(t, makeZip(t, "../../etc/a.png", "/abs/b.png", `win\c.png`, "x/../../d.png"))
	assert.Equal(t, []string{"abs/b.png", "d.png", "etc/a.png", "win/c.png"}, namesOf(c.Items()))
	assert.Equal(t, []string{"abs", "etc", "win"}, c.Classes())
	for _, it := range c.Items() {
		_, err := it.Decode()
		assert.NoError(t, err, it.Path)
	}
}

func TestDamagedZips(t *testing.T) {
	whole, err := os.ReadFile(makeZip(t, "a.png", "b.png"))
	require.NoError(t, err)
	encryptedCopy := bytes.Clone(whole)
	central := bytes.Index(encryptedCopy, []byte("PK\x01\x02"))
	encryptedCopy[central+8] |= encrypted
	bomb := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(bomb[central+24:], 1<<31)
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"cut short":          {whole[:len(whole)/2], "zip"},
		"text":               {[]byte("not a zip at all"), "zip"},
		"empty file":         {nil, "zip"},
		"encrypted":          {encryptedCopy, "encrypted"},
		"claims a huge size": {bomb, "more than 128 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.zip")
			require.NoError(t, os.WriteFile(file, tc.data, 0o644))
			_, err := Open(file)
			assert.ErrorIs(t, err, ErrArchive)
			assert.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, file)
		})
	}
}

func TestEntryTwice(t *testing.T) {
	_, err := Open(makeZip(t, "a.png", "./a.png"))
	assert.ErrorIs(t, err, ErrArchive)
	assert.ErrorContains(t, err, "twice")
}

// A flipped byte in an entry's data fails its checksum, or its decoding.
func TestDamagedEntry(t *testing.T) {
	file := makeZip(t, "a.png")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[bytes.Index(data, []byte("a.png"))+5+20] ^= 0x55
	require.NoError(t, os.WriteFile(file, data, 0o644))
	_, err = open(t, file).Items()[0].Decode()
	assert.ErrorIs(t, err, ErrImage)
	assert.ErrorContains(t, err, "a.png")
}

// An entry that expands to more than the directory says is refused.
func TestLyingSize(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.zip")
	f, err := os.Create(file)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("a.png")
	require.NoError(t, err)
	zeros := make([]byte, 1<<20)
	for range 2 {
		_, err = w.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	central := bytes.Index(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[central+24:], 1000)
	require.NoError(t, os.WriteFile(file, data, 0o644))
	_, err = open(t, file).Items()[0].Decode()
	assert.ErrorIs(t, err, ErrImage)
}

func FuzzZip(f *testing.F) {
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "x.zip")
		require.NoError(t, os.WriteFile(file, data, 0o644))
		c, err := Open(file)
		if err != nil {
			return
		}
		for _, it := range c.Items() {
			_, _ = it.Bytes()
		}
		require.NoError(t, c.Close())
	})
}
