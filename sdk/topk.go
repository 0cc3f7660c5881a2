package sdk

import (
	"cmp"
	"slices"
)

// top fills dst with the indices of the largest values, the largest first and
// equal ones by index; Probability holds the value. It keeps dst as a heap whose
// root is the worst, so that it takes n log k steps, and allocates nothing.
func top(dst []Prediction, values []float32) {
	for i := range dst {
		dst[i] = Prediction{Index: i, Probability: values[i]}
	}
	for i := len(dst)/2 - 1; i >= 0; i-- {
		sink(dst, i)
	}
	for i := len(dst); i < len(values); i++ {
		// Equal values lose: their index is higher.
		if values[i] > dst[0].Probability {
			dst[0] = Prediction{Index: i, Probability: values[i]}
			sink(dst, 0)
		}
	}
	slices.SortFunc(dst, order)
}

// order is negative if a comes before b.
func order(a, b Prediction) int {
	return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.Index, b.Index))
}

// sink moves element i down to where no worse one lies below it.
func sink(heap []Prediction, i int) {
	for {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if order(heap[child], heap[worst]) > 0 {
				worst = child
			}
		}
		if worst == i {
			return
		}
		heap[i], heap[worst] = heap[worst], heap[i]
		i = worst
	}
}
