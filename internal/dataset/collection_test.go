package dataset

import (
	"archive/zip"
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// picture is a PNG of one grey level, so that a test sees which one it got.
func picture(t *testing.T, level uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

func makeFolder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, n := range names {
		p := filepath.Join(dir, filepath.FromSlash(n))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, picture(t, uint8(i)), 0o644))
	}
	return dir
}

func makeZip(t *testing.T, names ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "images.zip")
	f, err := os.Create(file)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for i, n := range names {
		w, err := z.Create(n)
		require.NoError(t, err)
		_, err = w.Write(picture(t, uint8(i)))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return file
}

func open(t *testing.T, path string) *Collection {
	t.Helper()
	c, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func namesOf(items []Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.Name)
	}
	return out
}

// Both layouts hold the same names in the same, unsorted, order of writing.
var layouts = map[string]func(*testing.T, ...string) string{"folder": makeFolder, "zip": makeZip}

func TestOrderAndClasses(t *testing.T) {
	for kind, make := range layouts {
		t.Run(kind, func(t *testing.T) {
			c := open(t, make(t, "dog/b.PNG", "dog/a.jpeg", "cat/10.png", "cat/9.png", "Zebra/z.webp", "top.gif",
				"notes.txt", ".hidden.png", ".cache/x.png", "__MACOSX/cat/._9.png", "deep/cat/0.bmp"))
			assert.Equal(t, []string{"Zebra/z.webp", "cat/10.png", "cat/9.png", "deep/cat/0.bmp", "dog/a.jpeg", "dog/b.PNG", "top.gif"}, namesOf(c.Items()))
			assert.Equal(t, []string{"Zebra", "cat", "dog"}, c.Classes())
			assert.Equal(t, 7, c.Len())
			img, err := c.Items()[1].Decode()
			require.NoError(t, err)
			r, _, _, _ := img.At(0, 0).RGBA()
			assert.EqualValues(t, 2, r>>8, "the content of cat/10.png, written third")
		})
	}
}

func TestFlatHasNoClasses(t *testing.T) {
	for kind, make := range layouts {
		t.Run(kind, func(t *testing.T) {
			c := open(t, make(t, "b.png", "a.png"))
			assert.Nil(t, c.Classes())
			assert.Equal(t, []string{"a.png", "b.png"}, namesOf(c.Items()))
		})
	}
}

func TestEmpty(t *testing.T) {
	for kind, make := range layouts {
		for _, names := range [][]string{nil, {"readme.txt"}, {".x.png"}} {
			t.Run(kind, func(t *testing.T) {
				path := make(t, names...)
				_, err := Open(path)
				assert.ErrorIs(t, err, ErrEmpty)
				assert.ErrorContains(t, err, "no images in "+path)
			})
		}
	}
}

func TestSingleFile(t *testing.T) {
	dir := makeFolder(t, "sub/photo.data")
	path := filepath.Join(dir, "sub", "photo.data")
	c := open(t, path)
	require.Equal(t, []string{"photo.data"}, namesOf(c.Items()))
	assert.Nil(t, c.Classes())
	img, err := c.Items()[0].Decode()
	require.NoError(t, err)
	assert.Equal(t, image.Rect(0, 0, 3, 2), img.Bounds())
	assert.Equal(t, color.GrayModel.Convert(color.Gray{0}), color.GrayModel.Convert(img.At(0, 0)))
}

func TestMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestTextNamedJPEG(t *testing.T) {
	dir := makeFolder(t, "a.png")
	text := filepath.Join(dir, "b.jpg")
	require.NoError(t, os.WriteFile(text, []byte("This is text."), 0o644))
	items := open(t, dir).Items()
	require.Len(t, items, 2)
	_, err := items[0].Decode()
	require.NoError(t, err)
	_, err = items[1].Decode()
	assert.ErrorIs(t, err, ErrImage)
	assert.ErrorContains(t, err, text)
}

func TestTextInZipNamesZipAndEntry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.zip")
	f, err := os.Create(file)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("cat/b.jpg")
	require.NoError(t, err)
	_, err = w.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	_, err = open(t, file).Items()[0].Decode()
	assert.ErrorIs(t, err, ErrImage)
	assert.ErrorContains(t, err, file+": cat/b.jpg")
}

func TestPipeNamedJPEG(t *testing.T) {
	dir := makeFolder(t, "a.png")
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(dir, "b.png")))
	_, err := open(t, dir).Items()[1].Decode()
	assert.ErrorIs(t, err, ErrImage)
	assert.ErrorContains(t, err, "not a regular file")
}

func TestSample(t *testing.T) {
	items := make([]Item, 10)
	for i := range items {
		items[i].Name = string(rune('0' + i))
	}
	for n, want := range map[int]string{0: "0123456789", 1: "5", 2: "27", 5: "13579", 10: "0123456789", 99: "0123456789"} {
		got := ""
		for _, it := range Sample(items, n) {
			got += it.Name
		}
		assert.Equal(t, want, got, n)
	}
}
