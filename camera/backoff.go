package camera

import (
	"math/rand/v2"
	"time"
)

// Defaults of Backoff: quick enough that a bumped cable is hardly noticed, slow
// enough that a camera which is switched off costs nothing.
const (
	DefaultBackoffFirst = 250 * time.Millisecond
	DefaultBackoffMax   = 30 * time.Second
)

// A Backoff says how long to wait before a lost source is opened again: about
// First, doubled with every failure in a row, at most Max. The wait is drawn
// from its upper half, so that cameras which were lost together do not come
// back together.
type Backoff struct {
	First time.Duration // 0: DefaultBackoffFirst
	Max   time.Duration // 0: DefaultBackoffMax
}

// orDefaults fills in the zero fields, so that each fits the other.
func (b Backoff) orDefaults() Backoff {
	if b.First == 0 {
		b.First = DefaultBackoffFirst
		if b.Max > 0 {
			b.First = min(b.First, b.Max)
		}
	}
	if b.Max == 0 {
		b.Max = max(DefaultBackoffMax, b.First)
	}
	return b
}

// A retrier counts failures in a row.
type retrier struct {
	Backoff
	failures int
	last     time.Duration
}

// wait returns how long to wait after one more failure. lived is how long the
// source gave frames before it: one that is lost again sooner than we waited for
// it has not recovered.
func (r *retrier) wait(lived time.Duration) time.Duration {
	if lived > r.last {
		r.failures = 0
	}
	most := r.Max
	if r.failures < 32 && r.First<<r.failures < r.Max && r.First<<r.failures > 0 {
		most = r.First << r.failures
	}
	r.failures++
	r.last = most/2 + rand.N(most-most/2)
	return r.last
}
