package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// isContentError reports whether err is one of the two that content may cause.
func isContentError(err error) bool {
	return errors.Is(err, ErrFormat) || errors.Is(err, ErrNonFinite)
}

// record is one entry of a zip made by hand.
type record struct {
	name   string
	data   string
	method uint16
}

func zipOf(t testing.TB, records ...record) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, r := range records {
		w, err := z.CreateHeader(&zip.FileHeader{Name: r.name, Method: r.method})
		require.NoError(t, err)
		_, err = io.WriteString(w, r.data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return buf.Bytes()
}

func readBytes(b []byte) (*StateDict, error) { return read(bytes.NewReader(b), int64(len(b))) }

// The pieces of a pickle, as torch.save writes them.
func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func num(n int) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(int32(n))))
}

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func nums(n ...int) string {
	var s []string
	for _, v := range n {
		s = append(s, num(v))
	}
	return tuple(s...)
}

func persistent(class, key string, n int) string {
	return tuple(str("storage"), "ctorch\n"+class+"\n", str(key), str("cpu"), num(n)) + "Q"
}

func rebuild(storage string, offset int, shape, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storage, num(offset), shape, stride, "\x89", "}") + "R"
}

func dictOf(items ...string) string { return "\x80\x02}(" + strings.Join(items, "") + "u." }

// torchFile is a .pth with that pickle and one storage "0" of four floats.
func torchFile(t testing.TB, pickle string) []byte {
	return zipOf(t, record{name: "x/data.pkl", data: pickle}, record{name: "x/data/0", data: strings.Repeat("\x00\x00\x80\x3f", 4)})
}

const four = "FloatStorage"

func TestHandMadeFileLoads(t *testing.T) {
	d, err := readBytes(torchFile(t, dictOf(str("w"), rebuild(persistent(four, "0", 4), 1, nums(2), nums(2)))))
	require.NoError(t, err)
	x, _ := d.Tensor("w")
	assert.Equal(t, Tensor{Shape: []int{2}, Data: []float32{1, 1}}, x)
}

func TestHostilePickles(t *testing.T) {
	view := func(offset int, shape, stride string) string {
		return dictOf(str("w"), rebuild(persistent(four, "0", 4), offset, shape, stride))
	}
	for _, c := range []struct{ name, pickle, want string }{
		{"empty", "", "cut short after 0 bytes"},
		{"no stop", "\x80\x02}", "cut short after 3 bytes"},
		{"unknown opcode", "\x80\x02\xff.", "opcode 0xff"},
		{"terabytes of bytes", "\x80\x04\x8d" + strings.Repeat("\xff", 5) + "\x00\x00\x00.", "cut short inside the opcode 0x8d"},
		{"negative length", "\x80\x04\x8d" + strings.Repeat("\xff", 8) + ".", "cut short inside"},
		{"frame of terabytes", "\x80\x04\x95" + strings.Repeat("\xff", 5) + "\x00\x00\x00}.", "inside the frame"},
		{"million marks", "\x80\x02" + strings.Repeat("(", 1<<20) + ".", "more than 524288 objects"},
		{"long pickle", "\x80\x02" + strings.Repeat("N", maxPickle) + ".", "longer than"},
		{"empty stack", "\x80\x02.", "damaged"},
		{"odd items", "\x80\x02}(Nu.", "damaged"},
		{"long of no bytes", "\x80\x02\x8a\x00.", "damaged"},
		{"unhashable key", "\x80\x02ccollections\nOrderedDict\n)R(C\x01aNu.", "damaged"},
		{"os.system", "\x80\x02cos\nsystem\n" + tuple(str("true")) + "R.", `"os.system"`},
		{"eval by stack", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", `"builtins.eval"`},
		{"list", "\x80\x02].", "it holds a list, want a dict"},
		{"None", "\x80\x02N.", "it holds None"},
		{"no tensors", dictOf(str("epoch"), num(3)), `no tensors, and no dict under any of`},
		{"list contains itself", "\x80\x02]q\x00h\x00aR.", "damaged"},
		{"dict under itself", "\x80\x02}q\x00" + str("model") + "h\x00s.", "no tensors"},
		{"two wrapped", dictOf(str("model"), "}", str("state_dict"), "}"), `save the one that is meant: torch.save(checkpoint["model"], path)`},
		{"key not a string", dictOf(num(1), "N"), "has the value 1 as a key"},
		{"key twice", dictOf(str("w"), "N", str("w"), "N"), `the key "w" twice`},
		{"not a tensor", dictOf(str("w"), rebuild(persistent(four, "0", 4), 0, nums(4), nums(1)), str("epoch"), num(3)), `entry "epoch" is the value 3, not a tensor`},
		{"beyond", view(1, nums(4), nums(1)), "reaches beyond its storage of 4"},
		{"beyond by stride", view(0, nums(2, 2), nums(3, 1)), "reaches beyond"},
		{"offset beyond", view(5, nums(0), nums(1)), "begins at element 5"},
		{"negative offset", view(-1, nums(1), nums(1)), "begins at element -1"},
		{"negative shape", view(0, nums(-4), nums(1)), "shape [-4]"},
		{"negative stride", view(3, nums(4), nums(-1)), "strides [-1]"},
		{"shape and stride differ", view(0, nums(4), nums(1, 1)), "but strides [1 1]"},
		{"huge by stride 0", view(0, nums(1<<30, 4), nums(0, 1)), "far more elements than the file has bytes"},
		{"overflowing shape", view(0, nums(1<<30, 1<<30, 1<<30), nums(0, 0, 0)), "shape [1073741824 1073741824 1073741824]"},
		{"storage of another size", dictOf(str("w"), rebuild(persistent(four, "0", 1<<30), 0, nums(1), nums(1))), "1073741824 elements of F32, but has 16 bytes"},
		{"storage of another type", dictOf(str("v"), rebuild(persistent(four, "0", 4), 0, nums(1), nums(1)), str("w"), rebuild(persistent("IntStorage", "0", 4), 0, nums(1), nums(1))), "in one place"},
		{"negative storage", dictOf(str("w"), rebuild(persistent(four, "0", -1), 0, nums(1), nums(1))), "damaged"},
		{"no such storage", dictOf(str("w"), rebuild(persistent(four, "1", 4), 0, nums(1), nums(1))), `no record "data/1"`},
		{"storage outside", dictOf(str("w"), rebuild(persistent(four, "../data.pkl", 4), 0, nums(1), nums(1))), `no record`},
		{"persistent id not a tuple", "\x80\x02NQ.", "a persistent id is None"},
		{"tensor of nothing", dictOf(str("w"), "ctorch._utils\n_rebuild_tensor_v2\n)R"), "has 0 arguments"},
		{"parameter of nothing", dictOf(str("w"), "ctorch._utils\n_rebuild_parameter\n)R"), "has no arguments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readBytes(torchFile(t, c.pickle))
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 700)
		})
	}
}

func TestHostileZips(t *testing.T) {
	pkl := record{name: "x/data.pkl", data: dictOf(str("w"), rebuild(persistent(four, "0", 4), 0, nums(4), nums(1)))}
	data := record{name: "x/data/0", data: strings.Repeat("\x00\x00\x80\x3f", 4)}
	bomb := record{name: "x/data/0", data: strings.Repeat("\x00", 1<<20), method: zip.Deflate}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"not torch's", zipOf(t, record{name: "word/document.xml"}), "0 records called data.pkl"},
		{"two pickles", zipOf(t, pkl, record{name: "y/data.pkl"}), "2 records called data.pkl"},
		{"record twice", zipOf(t, pkl, data, data), `the record "x/data/0" twice`},
		{"compressed", zipOf(t, pkl, bomb), "is compressed"},
		{"big-endian", zipOf(t, pkl, data, record{name: "x/byteorder", data: "big"}), `its byte order is "big"`},
		{"overlapping", overlapping(t), "overlap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readBytes(c.b)
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// overlapping is a zip whose directory lays the second record over the first.
func overlapping(t *testing.T) []byte {
	b := zipOf(t, record{name: "x/data.pkl", data: "}."}, record{name: "x/data/0", data: "abcd"})
	entry := bytes.LastIndex(b, []byte("PK\x01\x02"))
	require.Positive(t, entry)
	const offsetField = 42
	binary.LittleEndian.PutUint32(b[entry+offsetField:], 0)
	return b
}

func TestHostileLegacy(t *testing.T) {
	whole, err := os.ReadFile("testdata/torch2.15/legacy.pth")
	require.NoError(t, err)
	_, err = readBytes(append(bytes.Clone(whole), 0))
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "1 bytes follow its last storage")

	magic := string(legacyMagic)
	for want, rest := range map[string]string{
		"version the value 1002":   "\x80\x02M\xea\x03.",
		"big-endian":               "\x80\x02M\xe9\x03." + dictOf(str("little_endian"), "\x89"),
		"it holds None":            "\x80\x02M\xe9\x03.N.",
		"its list of storages is":  "\x80\x02M\xe9\x03." + dictOf() + dictOf() + "N.",
		"unknown or twice":         "\x80\x02M\xe9\x03." + dictOf() + dictOf() + "](" + str("0") + "e.",
		`storage "0" has no data`:  "\x80\x02M\xe9\x03." + dictOf() + dictOf(str("w"), persistent(four, "0", 4)) + "].",
		`cut short before storage`: "\x80\x02M\xe9\x03." + dictOf() + dictOf(str("w"), persistent(four, "0", 4)) + "](" + str("0") + "e.",
		`has 4 elements, want 4`:   "\x80\x02M\xe9\x03." + dictOf() + dictOf(str("w"), persistent(four, "0", 4)) + "](" + str("0") + "e.\x04\x00\x00\x00\x00\x00\x00\x00",
	} {
		_, err := readBytes([]byte(magic + rest))
		require.ErrorIs(t, err, ErrFormat, want)
		assert.ErrorContains(t, err, want)
	}
}

func FuzzLoad(f *testing.F) {
	for _, v := range versions {
		for _, name := range []string{"nan.pth", "legacy.pth", "strided.pth"} {
			b, err := os.ReadFile(filepath.Join("testdata", v, name))
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Add(torchFile(f, dictOf(str("w"), rebuild(persistent(four, "0", 4), 1, nums(2), nums(2)))))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) { checkFuzzed(t, b) })
}

// FuzzPickle puts the input into a zip with right checksums, where FuzzLoad
// hardly gets to.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(dictOf(str("w"), rebuild(persistent(four, "0", 4), 1, nums(2), nums(2)))))
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\n)R(C\x01aNu."))
	f.Fuzz(func(t *testing.T, pickle []byte) { checkFuzzed(t, torchFile(t, string(pickle))) })
}

func checkFuzzed(t *testing.T, b []byte) {
	d, err := readBytes(b)
	if err != nil {
		require.True(t, isContentError(err), fmt.Sprint(err))
		return
	}
	total := 0
	for _, n := range d.Names() {
		x, ok := d.Tensor(n)
		require.True(t, ok)
		total += len(x.Data)
	}
	require.LessOrEqual(t, total, len(b)+1<<16)
}
