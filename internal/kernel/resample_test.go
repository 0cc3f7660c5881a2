package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// randomTaps are of n outputs on an axis of size inputs: windows of most taps or
// fewer that never go back, with coefficients up to 1.3 in absolute value.
func randomTaps(r *rand.Rand, n, size, most int) Taps {
	t := Taps{Stride: most + r.IntN(3)}
	for i := range n {
		count := 1 + r.IntN(min(most, size))
		first := (size - count) * i / max(1, n-1)
		if i == r.IntN(n+1) {
			first = size - count
		}
		t.First, t.Count = append(t.First, int32(first)), append(t.Count, int32(count))
		row := make([]int32, t.Stride)
		for k := range row {
			row[k] = randomCoef(r) // also beyond count: it is not used
		}
		t.Coef = append(t.Coef, row...)
	}
	return t
}

func randomCoef(r *rand.Rand) int32 {
	switch r.IntN(8) {
	case 0:
		return 1 << coefBits
	case 1:
		return 13 << coefBits / 10
	case 2:
		return -1
	}
	return r.Int32N(1<<coefBits+1) - 1<<(coefBits-2)
}

func randomBytes(r *rand.Rand, b []byte) {
	for i := range b {
		if b[i] = byte(r.Uint32()); r.IntN(4) == 0 {
			b[i] = byte(255 * r.IntN(2))
		}
	}
}

// layouts are those of packed pixels in package preprocess.
var layouts = []Pixels{RGB, {3, 2, 1, 0}, {4, 0, 1, 2}, {1, 0, 0, 0}, {2, 0, 0, 0}, {8, 0, 2, 4}}

// TestResizeRow holds the portable loops to the equation.
func TestResizeRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 21))
	for _, from := range layouts {
		taps := randomTaps(r, 9, 30, 5)
		const lo = 0
		in := make([]byte, 30*from.Size)
		randomBytes(r, in)
		got := make([]byte, 3*9)
		resizeRow(got, in, lo, &taps, from)
		for i := range 9 {
			for c, place := range []int{from.R, from.G, from.B} {
				sum := int32(half)
				for k := range int(taps.Count[i]) {
					sum += taps.Coef[i*taps.Stride+k] * int32(in[(int(taps.First[i])+k)*from.Size+place])
				}
				require.Equal(t, clip8(sum), got[3*i+c], "%+v, output %d", from, i)
			}
		}
	}
	assert.Equal(t, []byte{0, 0, 0, 1, 255, 255}, []byte{clip8(-1), clip8(-1 << 31), clip8(1<<22 - 1), clip8(1 << 22), clip8(256 << 22), clip8(1<<31 - 1)})
}

// resampleTask is one row resized, and rows mixed, with what must come out.
type resampleTask struct {
	resize     RowResizer
	a, b, c, d []byte
	mix        RowMixer
	rows       [][]byte
	coef       []int32
	mixed      []byte
}

// newResampleTask uses memory from bytes for all operands.
func newResampleTask(r *rand.Rand, isa ISA, outputs, most, rows int, from Pixels, bytes func(n int) []byte) *resampleTask {
	size := most + r.IntN(2*outputs+most)
	lo := r.IntN(3)
	taps := randomTaps(r, outputs, size, most)
	for i := range taps.First {
		taps.First[i] += int32(lo)
	}
	k := &resampleTask{}
	k.resize.Set(isa, taps, lo, from)
	k.a, k.b = bytes(max(k.resize.Reach(), size*from.Size)), bytes(max(k.resize.Reach(), size*from.Size))
	randomBytes(r, k.a)
	randomBytes(r, k.b)
	k.c, k.d = make([]byte, 3*outputs), make([]byte, 3*outputs)
	resizeRow(k.c, k.a, lo, &taps, from)
	resizeRow(k.d, k.b, lo, &taps, from)

	k.mix.Set(isa, rows, 3*outputs)
	for range rows {
		row := bytes(3 * outputs)
		randomBytes(r, row)
		k.rows, k.coef = append(k.rows, row), append(k.coef, randomCoef(r))
	}
	k.mixed = make([]byte, 3*outputs)
	mixRows(k.mixed, k.rows, k.coef, make([]int32, 3*outputs))
	return k
}

// wrong says what differs; c, d and mixed are for the results.
func (k *resampleTask) wrong(c, d, mixed []byte) string {
	k.resize.Run(c, d, k.a, k.b)
	k.mix.Run(mixed, k.rows, k.coef)
	n := len(k.c)
	switch {
	case !slices.Equal(k.c, c[:n]):
		return fmt.Sprintf("first row: want %v, got %v", k.c, c[:n])
	case !slices.Equal(k.d, d[:n]):
		return fmt.Sprintf("second row: want %v, got %v", k.d, d[:n])
	case !slices.Equal(k.mixed, mixed):
		return fmt.Sprintf("mixed: want %v, got %v", k.mixed, mixed)
	}
	return ""
}

// TestResample: every instruction set gives the portable bytes, and uses its
// kernels where it should.
func TestResample(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 22))
	heap := func(n int) []byte { return make([]byte, n) }
	for _, isa := range ISAs() {
		for _, c := range []struct{ outputs, most, rows int }{{1, 1, 1}, {224, 4, 4}, {80, 12, 13}, {3, 5000, 2}, {9, 2, 400}, {20000, 2, 2}} {
			for _, from := range layouts {
				k := newResampleTask(r, isa, c.outputs, c.most, c.rows, from, heap)
				room := k.resize.Room()
				require.Empty(t, k.wrong(heap(room), heap(room), heap(3*c.outputs)), "%v %+v %+v", isa, c, from)
				assert.Equal(t, isa == Generic || from.Size > 4, k.resize.ISA() == Generic, "%v %+v", isa, from)
				assert.Equal(t, isa == Generic || 3*c.outputs < resampleFor(isa).block, k.mix.ISA() == Generic, "%v %d", isa, c.outputs)
			}
		}
	}
}

// TestResampleOneRow: an odd last row is resized alone.
func TestResampleOneRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 23))
	for _, isa := range ISAs() {
		k := newResampleTask(r, isa, 21, 5, 1, RGB, func(n int) []byte { return make([]byte, n) })
		c := make([]byte, k.resize.Room())
		k.resize.Run(c, c, k.a, k.a)
		require.Equal(t, k.c, c[:len(k.c)], isa.String())
	}
}

func TestResampleUnderGC(t *testing.T) {
	heap := func(n int) []byte { return make([]byte, n) }
	underGC(t, 6, func(r *rand.Rand) bool {
		isas := ISAs()
		k := newResampleTask(r, isas[r.IntN(len(isas))], 1+r.IntN(60), 1+r.IntN(9), 1+r.IntN(9), layouts[r.IntN(len(layouts))], heap)
		room := k.resize.Room()
		return k.wrong(heap(room), heap(room), heap(len(k.mixed))) == ""
	})
}

func TestResampleDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 24))
	heap := func(n int) []byte { return make([]byte, n) }
	for _, isa := range ISAs() {
		k := newResampleTask(r, isa, 40, 6, 5, RGB, heap)
		c, d, mixed := heap(k.resize.Room()), heap(k.resize.Room()), heap(len(k.mixed))
		assert.Zero(t, testing.AllocsPerRun(5, func() {
			k.resize.Run(c, d, k.a, k.b)
			k.mix.Run(mixed, k.rows, k.coef)
		}), isa.String())
	}
}
