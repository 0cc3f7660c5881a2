package npy

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The goldens are NumPy's: train/goldens_npy.py.
func TestSameBytesAsNumPy(t *testing.T) {
	for _, shape := range [][2]int{{0, 5}, {3, 4}, {257, 1}} {
		rows, cols := shape[0], shape[1]
		name := fmt.Sprintf("%dx%d.npy", rows, cols)
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), name)
			w, err := Create(path, rows, cols)
			require.NoError(t, err)
			defer w.Discard()
			row := make([]float32, cols)
			for y := range rows {
				for x := range row {
					row[x] = float32(y*cols+x-5) / 7
				}
				require.NoError(t, w.Write(row))
			}
			require.NoError(t, w.Commit())
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestHeaderIsAligned(t *testing.T) {
	for _, n := range []int{0, 1, 99, 12345, 123456789, math.MaxInt} {
		h := header(n, n)
		assert.Zero(t, len(h)%align, n)
		assert.Equal(t, byte('\n'), h[len(h)-1])
		assert.Equal(t, len(h), 10+int(h[8])+int(h[9])<<8)
	}
}

func TestUnfinishedLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a.npy"), 2, 2)
	require.NoError(t, err)
	require.NoError(t, w.Write([]float32{1, 2}))
	assert.ErrorContains(t, w.Write([]float32{1}), "row 1 has 1 values, want 2")
	assert.ErrorContains(t, w.Commit(), "1 rows written, want 2")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestTooManyRows(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "a.npy"), 1, 1)
	require.NoError(t, err)
	defer w.Discard()
	require.NoError(t, w.Write([]float32{1}))
	assert.ErrorContains(t, w.Write([]float32{1}), "more than 1 rows")
}
