package preprocess

import (
	"encoding/binary"
	"fmt"
	"image"
	"testing"

	"github.com/stretchr/testify/require"
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// tiff builds a directory of one entry before the orientation and one after.
func tiff(order byteOrder, kind uint16, count uint32, value []byte) []byte {
	mark := "MM"
	if order == binary.LittleEndian {
		mark = "II"
	}
	b := order.AppendUint16([]byte(mark), 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 3)
	entry := func(tag, kind uint16, count uint32, value []byte) {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		b = append(b, append(value, 0, 0, 0, 0)[:4]...)
	}
	entry(0x010f, 3, 1, []byte{1, 2})
	entry(0x0112, kind, count, value)
	entry(0x0128, 3, 1, []byte{2, 0})
	return order.AppendUint32(b, 0)
}

func segment(marker byte, content string) string {
	return string([]byte{0xff, marker, byte((len(content) + 2) >> 8), byte(len(content) + 2)}) + content
}

func TestOrientation(t *testing.T) {
	le, be := byteOrder(binary.LittleEndian), byteOrder(binary.BigEndian)
	const soi, scan = "\xff\xd8", "\xff\xda\x00\x02"
	app1 := func(tiff []byte) string { return segment(0xe1, "Exif\x00\x00"+string(tiff)) }
	six := tiff(be, 3, 1, []byte{0, 6})

	for v := range uint16(10) {
		want := int(v)
		if v < 1 || v > 8 {
			want = 1
		}
		for name, b := range map[string][]byte{
			"little-endian": tiff(le, 3, 1, le.AppendUint16(nil, v)),
			"big-endian":    tiff(be, 3, 1, be.AppendUint16(nil, v)),
			"long":          tiff(be, 4, 1, be.AppendUint32(nil, uint32(v))),
			"byte":          tiff(le, 1, 1, []byte{byte(v)}),
		} {
			require.Equal(t, want, orientation([]byte(soi+app1(b)+scan)), "%s %d", name, v)
		}
	}

	far := append([]byte(nil), six...)
	be.PutUint32(far[4:], 0xfffffff0)
	loop := append([]byte(nil), six...)
	be.PutUint16(loop[8:], 0xffff) // more entries than there are, ours among them
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"after other segments":  {soi + segment(0xe0, "JFIF\x00") + segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00") + app1(six) + scan, 6},
		"after fill bytes":      {soi + "\xff\xff\xff" + app1(six)[1:], 6},
		"after lone markers":    {soi + "\xff\x01\xff\xd3" + app1(six), 6},
		"more entries claimed":  {soi + app1(loop), 6},
		"empty":                 {"", 1},
		"no JPEG":               {"GIF89a", 1},
		"only SOI":              {soi, 1},
		"no EXIF":               {soi + segment(0xe0, "JFIF\x00") + scan, 1},
		"after the scan":        {soi + scan + app1(six), 1},
		"after the end":         {soi + "\xff\xd9" + app1(six), 1},
		"other APP":             {soi + segment(0xe2, "Exif\x00\x00"+string(six)), 1},
		"garbage after segment": {soi + segment(0xe0, "JFIF\x00") + "xx" + app1(six), 1},
		"length 0":              {soi + "\xff\xe1\x00\x00" + app1(six), 1},
		"length beyond the end": {soi + "\xff\xe1\xff\xffExif\x00\x00" + string(six), 1},
		"no TIFF":               {soi + app1(nil), 1},
		"wrong byte order":      {soi + app1(append([]byte("XX"), six[2:]...)), 1},
		"wrong magic":           {soi + app1(append([]byte("MM\x00\x2b"), six[4:]...)), 1},
		"directory far away":    {soi + app1(far), 1},
		"two values":            {soi + app1(tiff(be, 3, 2, []byte{0, 6})), 1},
		"wrong type":            {soi + app1(tiff(be, 2, 1, []byte{0, 6})), 1},
	} {
		require.Equal(t, c.want, orientation([]byte(c.file)), name)
	}
	whole := soi + app1(six)
	for n := range len(whole) {
		require.Equal(t, 1, orientation([]byte(whole[:n])), "cut to %d bytes", n)
	}
	for n := range len(six) {
		got := orientation([]byte(soi + app1(six[:n])))
		require.Contains(t, []int{1, 6}, got, "TIFF cut to %d bytes", n)
	}
}

// Turning as the standard words it: where the stored first row and column lie.
func TestOrient(t *testing.T) {
	img := noise(9, 5, 3)
	w, h := 5, 3
	for o, place := range map[int]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return h - 1 - y, x },
		7: func(x, y int) (int, int) { return h - 1 - y, w - 1 - x },
		8: func(x, y int) (int, int) { return y, w - 1 - x },
	} {
		got, err := orient(img, o)
		require.NoError(t, err)
		size := image.Pt(w, h)
		if o >= 5 {
			size = image.Pt(h, w)
		}
		require.Equal(t, size, got.Bounds().Size(), fmt.Sprint(o))
		for y := range h {
			for x := range w {
				u, v := place(x, y)
				require.Equal(t, img.RGBAAt(x, y), got.At(u, v), "orientation %d, stored %d, %d", o, x, y)
			}
		}
	}
	_, err := orient(&image.Gray{}, 6)
	require.ErrorIs(t, err, ErrImageSize)
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8" + segment(0xe1, "Exif\x00\x00"+string(tiff(binary.BigEndian, 3, 1, []byte{0, 6})))))
	f.Add([]byte("\xff\xd8" + segment(0xe1, "Exif\x00\x00"+string(tiff(binary.LittleEndian, 4, 1, []byte{8})))))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []int{orientation(data), tiffOrientation(data)} {
			if o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
	})
}
