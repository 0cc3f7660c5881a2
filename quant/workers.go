package quant

import "sync"

// each calls fn for 0 to n-1 on a number of workers.
func each(n, workers int, fn func(k int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for k := range next {
				fn(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	wg.Wait()
}
