package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		lost, won int
		p         float64
	}{
		{0, 0, 1}, {1, 0, 1}, {5, 5, 1},
		{5, 0, 0.0625},      // 2 / 2^5
		{8, 2, 0.109375},    // 2 * (1 + 10 + 45) / 2^10
		{2, 8, 0.109375},    // either way
		{600, 400, 2.8e-10}, // no overflow
	} {
		assert.InEpsilon(t, c.p, mcNemar(c.lost, c.won).P, 0.05, "%d %d", c.lost, c.won)
	}
	assert.Contains(t, mcNemar(8, 2).String(), "8 images lost, 2 won, no more than chance")
	assert.Contains(t, mcNemar(90, 2).String(), "lost, 2 won, more than chance")
}

func TestMostChanged(t *testing.T) {
	tl := tally{labels: []string{"cat", "dog"}, changes: map[[2]int]int{{0, 1}: 2, {1, 0}: 5, {2, 1}: 2}}
	assert.Equal(t, []change{{"dog", "cat", 5}, {"cat", "dog", 2}, {"2", "dog", 2}}, tl.mostChanged())
}
