package kernel

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// guards hands out memory between two pages that cannot be touched: an access
// beyond the side that a slice lies at kills the test.
type guards struct {
	tb      testing.TB
	atStart bool // slices begin at a forbidden page; otherwise they end at one
	free    map[int][][]byte
	used    [][]byte
}

func newGuards(tb testing.TB) *guards {
	g := &guards{tb: tb, free: map[int][][]byte{}}
	tb.Cleanup(func() {
		g.release()
		for _, list := range g.free {
			for _, m := range list {
				_ = syscall.Munmap(m)
			}
		}
	})
	return g
}

// canary fills the memory around a slice.
const canary = 0x6d

func (g *guards) bytes(n int) []byte {
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	var m []byte
	if list := g.free[size]; len(list) > 0 {
		m, g.free[size] = list[len(list)-1], list[:len(list)-1]
	} else {
		var err error
		m, err = syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		require.NoError(g.tb, err)
		require.NoError(g.tb, syscall.Mprotect(m[:page], syscall.PROT_NONE))
		require.NoError(g.tb, syscall.Mprotect(m[page+size:], syscall.PROT_NONE))
	}
	g.used = append(g.used, m)
	inner := m[page : page+size]
	for i := range inner {
		inner[i] = canary
	}
	if g.atStart {
		return inner[:n:n]
	}
	return inner[size-n:]
}

// release takes all slices back and reports a write outside of them.
func (g *guards) release() {
	for _, m := range g.used {
		size := len(m) - 2*os.Getpagesize()
		g.free[size] = append(g.free[size], m)
	}
	g.used = g.used[:0]
}

// untouched tells whether the memory of slice b outside of it is as it was.
func (g *guards) untouched(b []byte) bool {
	page := os.Getpagesize()
	for _, m := range g.used {
		inner := m[page : len(m)-page]
		var rest []byte
		switch at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(inner))); {
		case at >= uintptr(len(inner)):
			continue
		case at == 0:
			rest = inner[len(b):]
		default:
			rest = inner[:at]
		}
		for _, v := range rest {
			if v != canary {
				return false
			}
		}
		return true
	}
	g.tb.Fatal("not a slice of these guards")
	return false
}

func guarded[T int8 | int16 | int32 | float32](g *guards, n int) []T {
	var v T
	b := g.bytes(n * int(unsafe.Sizeof(v)))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

func guardedCopy[T int8 | int16 | int32 | float32](g *guards, from []T) []T {
	to := guarded[T](g, len(from))
	copy(to, from)
	return to
}

func intact[T int8 | int16 | int32 | float32](g *guards, s []T) bool {
	var v T
	return g.untouched(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(v))))
}
