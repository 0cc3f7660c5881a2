package kernel

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// underGC calls f in 64 goroutines, at many depths of their stacks, while the
// garbage collector runs without a pause: f must not depend on a stack that
// stays in place or on registers that belong to the runtime.
func underGC(t *testing.T, rounds int, f func(r *rand.Rand) bool) {
	var stop atomic.Bool
	var collector, workers sync.WaitGroup
	collector.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	for id := range uint64(64) {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(id, 9))
			for range rounds {
				if !atDepth(r.IntN(40), func() bool { return f(r) }) {
					t.Errorf("goroutine %d got other bytes", id)
					return
				}
			}
		})
	}
	workers.Wait()
	stop.Store(true)
	collector.Wait()
}

// atDepth calls f below n frames of 1 KiB.
func atDepth(n int, f func() bool) bool {
	var frame [1024]byte
	frame[n] = 1
	if n == 0 {
		return f()
	}
	ok := atDepth(n-1, f)
	runtime.KeepAlive(&frame)
	return ok
}

func TestGEMMUnderGC(t *testing.T) {
	type task struct {
		m         *GEMM
		rows      int
		src, want []int8 // as held
	}
	r := rand.New(rand.NewPCG(4, 4))
	var tasks []task
	for _, isa := range ISAs() {
		for _, s := range [][3]int{{50, 72, 40}, {13, 200, 130}, {1, 120, 90}} {
			p := randomProduct(r, s[0], s[1], s[2], HardSwish, false)
			tasks = append(tasks, task{PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue), p.rows, flipped(p.src, isa), flipped(p.want(), isa)})
		}
	}
	underGC(t, 6, func(r *rand.Rand) bool {
		k := tasks[r.IntN(len(tasks))]
		dst := make([]int8, len(k.want))
		k.m.Run(dst, k.src, nil, k.rows, NewWorkspace(k.m.Needs()))
		return slices.Equal(k.want, dst)
	})
}

func TestGEMMDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, isa := range ISAs() {
		p := randomProduct(r, 50, 27, 40, Identity, false)
		m := PackGEMM(isa, p.rows, p.weight, p.bias, p.n, p.k, &p.epilogue)
		w, dst := NewWorkspace(m.Needs()), make([]int8, p.rows*p.n)
		assert.Zero(t, testing.AllocsPerRun(5, func() { m.Run(dst, p.src, nil, p.rows, w) }), isa.String())
	}
}
