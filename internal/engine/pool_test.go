package engine

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/kernel"
	"github.com/seedge/seedge/mobilenetv3"
)

// processors sets GOMAXPROCS for a test.
func processors(t testing.TB, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// cutUp makes the steps of p ones that are worth cutting into as many chunks as
// they have units.
func cutUp(p *Program) {
	for i := range p.steps {
		p.steps[i].most = min(p.steps[i].op.units(), maxChunks)
	}
}

// TestThreads: the bytes are the same for any number of threads, on random
// networks that are cut up to the last unit.
func TestThreads(t *testing.T) {
	processors(t, 4)
	for seed := range networks() / 4 {
		g := newGenerator(seed)
		q := g.network()
		input := make([]int8, q.Nodes[0].Out.Shape.Len())
		g.fill(input)
		want := naive(q, input)
		for _, isa := range kernel.ISAs() {
			p, err := compile(q, isa, bands{0, 3000})
			require.NoError(t, err)
			cutUp(p)
			for threads := 1; threads <= 4; threads++ {
				pool := p.NewPool(threads)
				s := pool.NewSession()
				for range 2 {
					copy(s.Input(), input)
					require.Equal(t, bits(want.logits), bits(s.Run()), "network %d, %d threads\n%s", seed, threads, p)
					require.Equal(t, bits(want.features), bits(s.Features()), "network %d, %d threads", seed, threads)
				}
				pool.Close()
			}
		}
	}
}

// crowd runs more sessions at once than the pool has threads.
func crowd(t *testing.T, threads, sessions, rounds int) {
	if testing.Short() {
		rounds = min(rounds, 4)
	}
	q := mobilenet(t, mobilenetv3.Small, 48)
	p, err := Compile(q)
	require.NoError(t, err)
	cutUp(p)
	pool := p.NewPool(threads)
	defer pool.Close()
	want := make([][]uint32, sessions)
	for i := range want {
		want[i] = bits(runOn(p.NewSession(), i))
	}
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Go(func() {
			s := pool.NewSession()
			for range rounds {
				assert.Equal(t, want[i], bits(runOn(s, i)))
			}
		})
	}
	wg.Wait()
	assert.Zero(t, pool.busy.Load())
}

func runOn(s *Session, image int) []float32 {
	for k := range s.Input() {
		s.Input()[k] = int8(k*37 + image*11)
	}
	return s.Run()
}

func TestManySessions(t *testing.T) { crowd(t, 3, 8, 20) }

// TestFewProcessors: threads without a processor must not be waited for.
func TestFewProcessors(t *testing.T) {
	for _, n := range []int{1, 2} {
		processors(t, n)
		crowd(t, 4, 3, 20)
	}
}

// TestProcessorsTakenAway has goroutines that compute without end on every
// processor, so that workers are stopped inside their chunks.
func TestProcessorsTakenAway(t *testing.T) {
	processors(t, 2)
	var stop atomic.Bool
	var busy sync.WaitGroup
	for range 2 {
		busy.Go(func() {
			for !stop.Load() {
			}
		})
	}
	crowd(t, 2, 1, 2)
	stop.Store(true)
	busy.Wait()
}

// TestWorkersPark: a worker that has nothing to do does not burn a processor,
// and comes back.
func TestWorkersPark(t *testing.T) {
	processors(t, 4)
	p, err := Compile(mobilenet(t, mobilenetv3.Small, 48))
	require.NoError(t, err)
	cutUp(p)
	pool := p.NewPool(3)
	defer pool.Close()
	s := pool.NewSession()
	want := bits(runOn(s, 1))
	for range 3 {
		require.Eventually(t, func() bool { return pool.workers[0].parked.Load() && pool.workers[1].parked.Load() }, 10*time.Second, time.Millisecond)
		require.Equal(t, want, bits(runOn(s, 1)))
	}
}

// TestClose ends the workers, also while sessions run, and sessions go on alone.
func TestClose(t *testing.T) {
	processors(t, 4)
	p, err := Compile(mobilenet(t, mobilenetv3.Small, 48))
	require.NoError(t, err)
	cutUp(p)
	want := bits(runOn(p.NewSession(), 1))
	before := runtime.NumGoroutine()
	for range 20 {
		pool := p.NewPool(4)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				s := pool.NewSession()
				for range 5 {
					assert.Equal(t, want, bits(runOn(s, 1)))
				}
			})
		}
		pool.Close()
		pool.Close()
		wg.Wait()
		assert.Equal(t, want, bits(runOn(pool.NewSession(), 1)))
	}
	for range 1000 { // a goroutine that is done is counted for a moment
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestThreadsDoNotAllocate(t *testing.T) {
	processors(t, 4)
	p, err := Compile(mobilenet(t, mobilenetv3.Small, 48))
	require.NoError(t, err)
	cutUp(p)
	pool := p.NewPool(2)
	defer pool.Close()
	s := pool.NewSession()
	const runs = 500
	var before, after runtime.MemStats
	for range 20 {
		s.Run()
	}
	runtime.ReadMemStats(&before)
	for i := range runs {
		if i%10 == 0 {
			time.Sleep(2 * spinFor) // workers park
		}
		s.Run()
	}
	runtime.ReadMemStats(&after)
	// The runtime itself allocates a little now and then.
	assert.Less(t, after.Mallocs-before.Mallocs, uint64(runs/10))
	t.Log(after.Mallocs - before.Mallocs)
}

// BenchmarkLarge224 is MobileNetV3-Large at 224 for some numbers of threads.
func BenchmarkLarge224(b *testing.B) {
	q := mobilenet(b, mobilenetv3.Large, 224)
	isas := kernel.ISAs()
	for threads := 1; threads <= runtime.NumCPU(); threads *= 2 {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			p, err := CompileFor(q, isas[len(isas)-1])
			require.NoError(b, err)
			pool := p.NewPool(threads)
			defer pool.Close()
			s := pool.NewSession()
			best := time.Hour
			for b.Loop() {
				start := time.Now()
				s.Run()
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(best.Nanoseconds())/1e6, "best-ms")
		})
	}
}
