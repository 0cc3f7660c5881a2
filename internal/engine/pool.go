package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Workers and callers that wait for each other spin, since the next step of a
// hot run is less than a microsecond away; a goroutine that is parked takes
// tens of microseconds to come back.
const (
	// spinFor is how long a worker spins for more to do before it parks.
	spinFor = 50 * time.Microsecond
	// spinsPerLook is how many times it looks before it looks at the clock.
	spinsPerLook = 128
)

// Pool is a fixed number of threads that sessions of one Program share. A
// session enlists, for one Run, whichever workers are idle, and never waits for
// one: the caller's own goroutine does whatever no worker has begun. So a Run
// that finds all workers busy, or fewer processors than threads, is slower and
// nothing else, and as many Runs at once as there are threads each have a thread
// of their own.
type Pool struct {
	program *Program
	threads int
	workers []*worker
	busy    atomic.Int32 // callers in Run, and workers enlisted
	closed  atomic.Bool
	running sync.WaitGroup
}

// worker is a goroutine of a Pool.
type worker struct {
	pool    *Pool
	scratch *scratch
	job     atomic.Pointer[job] // what it is enlisted for; nil if it is idle
	slot    atomic.Int32        // its place in job
	parked  atomic.Bool
	wake    chan struct{} // one element, sent by whoever clears parked
}

// NewPool starts threads-1 workers; the caller of Run is the thread that is
// missing. Less than 2 threads make a Pool without workers. Close ends them.
func (p *Program) NewPool(threads int) *Pool {
	pool := &Pool{program: p, threads: max(1, threads)}
	for range pool.threads - 1 {
		w := &worker{pool: pool, scratch: p.newScratch(), wake: make(chan struct{}, 1)}
		pool.workers = append(pool.workers, w)
		pool.running.Go(w.loop)
	}
	return pool
}

// Threads is the number that NewPool was given, at least 1.
func (p *Pool) Threads() int { return p.threads }

// Close ends the workers and waits for what they have begun. Sessions still run
// afterwards, each on its caller's goroutine alone. Closing again does nothing.
func (p *Pool) Close() {
	p.closed.Store(true)
	for _, w := range p.workers {
		w.unpark()
	}
	p.running.Wait()
}

// enlist gives j idle workers, as many as there are threads to spare, and
// returns the number of threads that will work on it, the caller's included.
// dismiss takes them back.
func (p *Pool) enlist(j *job) int {
	j.workers = j.workers[:0]
	busy := p.busy.Add(1)
	if len(p.workers) == 0 || p.closed.Load() {
		return 1
	}
	limit := int32(min(p.threads, runtime.GOMAXPROCS(0)))
	for _, w := range p.workers {
		if busy >= limit {
			break
		}
		if w.job.Load() == nil && w.job.CompareAndSwap(nil, j) {
			j.workers = append(j.workers, w)
			w.slot.Store(int32(len(j.workers)))
			w.unpark() // to be hot when there is work
			busy = p.busy.Add(1)
		}
	}
	return 1 + len(j.workers)
}

// dismiss ends what enlist began.
func (p *Pool) dismiss(j *job) {
	for _, w := range j.workers {
		w.job.Store(nil)
	}
	p.busy.Add(-int32(1 + len(j.workers)))
}

// unpark wakes the worker if it sleeps or is about to.
func (w *worker) unpark() {
	if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

// loop helps with one job after another until the pool is closed.
func (w *worker) loop() {
	idle := idleness{}
	for !w.pool.closed.Load() {
		j := w.job.Load()
		if j != nil && j.work(int(w.slot.Load()), w.scratch) {
			idle.reset()
			continue
		}
		if idle.exhausted() {
			w.park(j)
			idle.reset()
		}
	}
}

// park sleeps until someone calls unpark. Whatever there is to do has been
// written before that, or after this looks again.
func (w *worker) park(j *job) {
	w.parked.Store(true)
	again := w.job.Load() != j || w.pool.closed.Load() || j != nil && !j.slots[w.slot.Load()].empty()
	if again && w.parked.CompareAndSwap(true, false) {
		return
	}
	<-w.wake
}

// idleness is a bounded wait.
type idleness struct {
	looks int
	since time.Time
}

func (i *idleness) reset() { i.looks = 0 }

// exhausted counts one look and tells whether spinFor is over.
func (i *idleness) exhausted() bool {
	i.looks++
	if i.looks%spinsPerLook != 0 {
		return false
	}
	if i.looks == spinsPerLook {
		i.since = time.Now()
		return false
	}
	return time.Since(i.since) > spinFor
}
