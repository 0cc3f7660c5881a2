package engine

import (
	"runtime"
	"sync/atomic"
	"time"
)

// chunksPerThread is into how many chunks a thread's share of a step is cut:
// whoever is done takes what another has not begun.
const chunksPerThread = 2

// job is a session's current step as the threads that work on it see it.
//
// A step is cut into chunks, and the chunks are dealt out to slots, one for each
// thread: a thread that gets the same part of the image in one step after
// another finds it in its own cache. Nothing is ever computed twice or left out,
// whoever comes and goes: a chunk belongs to whom takes it out of a slot.
type job struct {
	session *Session
	workers []*worker // that are enlisted; each has the slot after its index
	slots   []slot
	left    atomic.Int32 // chunks that are not computed yet
	_       [cacheLine]byte
}

const cacheLine = 64

// slot is the chunks of one thread in one word: a thread that has read an old
// one cannot take a chunk of it. It has a cache line to itself, in which its
// thread waits for work.
type slot struct {
	state atomic.Uint64
	_     [cacheLine - 8]byte
}

// Fields of a slot's word, the lowest first: the next chunk, the end of the
// chunks, how many chunks the step has, the step.
const (
	chunkBits  = 12
	maxChunks  = 1<<chunkBits - 1
	endShift   = chunkBits
	totalShift = 2 * chunkBits
	stepShift  = 3 * chunkBits
)

func bounds(word uint64) (next, end uint64) { return word & maxChunks, word >> endShift & maxChunks }

func (s *slot) empty() bool {
	next, end := bounds(s.state.Load())
	return next >= end
}

// run computes step i with threads threads.
func (j *job) run(i, threads int) {
	st := &j.session.program.steps[i]
	chunks := st.chunks(threads)
	st.op.prepare(j.session, chunks)
	if chunks <= 1 {
		j.session.chunk(i, 0, 1, j.session.scratch)
		return
	}
	j.left.Store(int32(chunks))
	for t := threads - 1; t >= 0; t-- {
		first, end := chunks*t/threads, chunks*(t+1)/threads
		j.slots[t].state.Store(uint64(i)<<stepShift | uint64(chunks)<<totalShift | uint64(end)<<endShift | uint64(first))
	}
	for _, w := range j.workers {
		w.unpark()
	}
	j.work(0, j.session.scratch)
	j.wait()
}

// work takes chunks out of the slot of a thread and then, if there were any, out
// of the others' until there are none. It tells whether there were any.
func (j *job) work(own int, b *scratch) bool {
	done := j.drain(&j.slots[own], 1, b)
	if done == 0 && own > 0 {
		return false
	}
	for i := range j.slots {
		if i != own {
			done += j.drain(&j.slots[i], -1<<endShift, b)
		}
	}
	if done > 0 {
		j.left.Add(-done)
	}
	return done > 0
}

// drain computes chunks of a slot until none is left. The owner takes the first
// each time (1 is added to the word), others the last.
func (j *job) drain(s *slot, take int64, b *scratch) (done int32) {
	for {
		word := s.state.Load()
		next, end := bounds(word)
		if next >= end {
			return done
		}
		if !s.state.CompareAndSwap(word, word+uint64(take)) {
			continue
		}
		if take < 0 {
			next = end - 1
		}
		j.session.chunk(int(word>>stepShift), int(next), int(word>>totalShift&maxChunks), b)
		done++
	}
}

// wait waits for the chunks that workers have begun.
func (j *job) wait() {
	for i := 0; j.left.Load() > 0; i++ {
		switch {
		case i < 1<<12:
		case i < 1<<16:
			runtime.Gosched() // a worker may want this processor
		default:
			time.Sleep(spinFor) // the system has taken a worker's processor away
			i = 0
		}
	}
}
