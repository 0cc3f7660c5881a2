package dataset

import (
	"context"
	"iter"
)

// Map calls f for every item on the given number of goroutines and yields the
// results in the order of items. f is told which worker it runs on, 0 to
// workers-1, so that it can keep buffers apart. At most two results per worker
// wait to be taken, so memory does not grow with the number of items.
//
// The first error of f, or the context's, is yielded last. When the loop ends,
// by whatever way, every goroutine has returned.
func Map[T any](ctx context.Context, items []Item, workers int, f func(worker int, it Item) (T, error)) iter.Seq2[T, error] {
	workers = max(1, min(workers, len(items)))
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		jobs := make(chan job[T])
		order := make(chan job[T], 2*workers)
		done := make(chan struct{}, workers)
		for w := range workers {
			go func() {
				defer func() { done <- struct{}{} }()
				for j := range jobs {
					v, err := f(w, j.item)
					j.result <- result[T]{v, err}
				}
			}()
		}
		go func() {
			defer close(order)
			defer close(jobs)
			for _, it := range items {
				j := job[T]{it, make(chan result[T], 1)}
				select {
				case order <- j:
				case <-ctx.Done():
					return
				}
				jobs <- j // every job in order is done: its reader waits for it
			}
		}()
		defer func() {
			cancel()
			for range order { // lets the sender see the end
			}
			for range workers {
				<-done
			}
		}()
		for j := range order {
			r := <-j.result
			if r.err == nil {
				r.err = ctx.Err()
			}
			if r.err != nil {
				var none T
				yield(none, r.err)
				return
			}
			if !yield(r.value, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}

type job[T any] struct {
	item   Item
	result chan result[T]
}

type result[T any] struct {
	value T
	err   error
}
