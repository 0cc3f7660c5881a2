package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func numbered(n int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i].Name = fmt.Sprint(i)
	}
	return items
}

func TestMapKeepsOrder(t *testing.T) {
	for _, workers := range []int{-1, 1, 2, 3, 50} {
		for _, n := range []int{0, 1, 2, 20} {
			var got []string
			for v, err := range Map(t.Context(), numbered(n), workers, func(w int, it Item) (string, error) {
				assert.Less(t, w, max(workers, 1))
				if it.Name[0]%3 == 0 { // let later items overtake
					runtime.Gosched()
				}
				return it.Name, nil
			}) {
				require.NoError(t, err)
				got = append(got, v)
			}
			assert.Equal(t, namesOf(numbered(n)), got)
		}
	}
}

func TestMapStopsAtFirstError(t *testing.T) {
	bad := errors.New("bad")
	var got []string
	var last error
	for v, err := range Map(t.Context(), numbered(100), 4, func(_ int, it Item) (string, error) {
		if it.Name == "7" || it.Name == "8" {
			return "", fmt.Errorf("%s: %w", it.Name, bad)
		}
		return it.Name, nil
	}) {
		if last = err; err == nil {
			got = append(got, v)
		}
	}
	assert.EqualError(t, last, "7: bad")
	assert.Equal(t, namesOf(numbered(7)), got)
}

func TestMapIsBounded(t *testing.T) {
	const workers = 3
	var begun atomic.Int64
	taken := int64(0)
	for _, err := range Map(t.Context(), numbered(200), workers, func(int, Item) (int, error) {
		begun.Add(1)
		return 0, nil
	}) {
		require.NoError(t, err)
		taken++
		// Waiting for the loop: the buffer, one being handed over, the workers'.
		assert.LessOrEqual(t, begun.Load()-taken, int64(2*workers+1+workers))
	}
	assert.EqualValues(t, 200, taken)
}

func TestMapEndsItsGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range Map(t.Context(), numbered(100), 4, func(_ int, it Item) (string, error) { return it.Name, nil }) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for _, err := range Map(ctx, numbered(100), 4, func(_ int, it Item) (string, error) {
		if it.Name == "5" {
			cancel()
		}
		return it.Name, nil
	}) {
		last = err
	}
	assert.ErrorIs(t, last, context.Canceled)
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+1) // the feeder may be in its last step
}
