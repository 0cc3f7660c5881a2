package main

import (
	"fmt"
	"math"
)

// mcnemar compares two models on the same labelled images (McNemar 1947), by the
// images that only one of them gets right.
type mcnemar struct {
	Lost int     `json:"lost"` // right with the other model alone
	Won  int     `json:"won"`  // right with this model alone
	P    float64 `json:"p"`    // of so uneven a split, or one more so, by chance
}

// mcNemar is the exact test: under chance each of the n images is won or lost with
// probability 1/2,
//
//	p = min(1, 2 * sum over k up to min(lost, won) of n! / (k! (n-k)!) / 2^n)
func mcNemar(lost, won int) mcnemar {
	n := float64(lost + won)
	whole, _ := math.Lgamma(n + 1)
	p := 0.0
	for k := range min(lost, won) + 1 {
		a, _ := math.Lgamma(float64(k) + 1)
		b, _ := math.Lgamma(n - float64(k) + 1)
		p += math.Exp(whole - a - b - n*math.Ln2)
	}
	return mcnemar{lost, won, min(1, 2*p)}
}

func (m mcnemar) String() string {
	verdict := "no more than chance"
	if m.P < 0.05 {
		verdict = "more than chance"
	}
	return fmt.Sprintf("%d images lost, %d won, %s (McNemar, p = %.2g)", m.Lost, m.Won, verdict, m.P)
}
