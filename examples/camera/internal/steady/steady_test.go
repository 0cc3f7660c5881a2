package steady

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seedge/seedge/sdk"
)

func seen(cat, dog float32) []sdk.Prediction {
	all := []sdk.Prediction{{Index: 0, Label: "cat", Probability: cat}, {Index: 1, Label: "dog", Probability: dog}}
	if dog > cat {
		all[0], all[1] = all[1], all[0]
	}
	return all
}

var start = time.Unix(1000, 0)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func TestEachFrameByItself(t *testing.T) {
	l := Label{Rule: Rule{Threshold: 0.5}}
	name, p, changed := l.Add(at(0), seen(0.7, 0.3))
	assert.Equal(t, "cat", name)
	assert.Equal(t, float32(0.7), p)
	assert.True(t, changed)
	name, _, changed = l.Add(at(10), seen(0.4, 0.6))
	assert.Equal(t, "dog", name)
	assert.True(t, changed)
	name, p, changed = l.Add(at(20), seen(0.45, 0.4))
	assert.Empty(t, name)
	assert.Equal(t, float32(0.45), p)
	assert.True(t, changed)
	_, _, changed = l.Add(at(30), seen(0.45, 0.4))
	assert.False(t, changed)
}

// One wrong frame among many changes nothing; a new sight does, in time.
func TestNoFlicker(t *testing.T) {
	l := Label{Rule: Rule{Time: 500 * time.Millisecond, Threshold: 0.5, Margin: 0.1}}
	l.Add(at(0), seen(0.9, 0.1))
	for i := 1; i < 20; i++ {
		cat := float32(0.9)
		if i%5 == 0 {
			cat = 0.1
		}
		name, _, changed := l.Add(at(50*i), seen(cat, 1-cat))
		assert.Equal(t, "cat", name, "frame %d", i)
		assert.False(t, changed)
	}
	changes := 0
	name := ""
	for i := 20; i < 60; i++ {
		var changed bool
		if name, _, changed = l.Add(at(50*i), seen(0.05, 0.95)); changed {
			changes++
		}
	}
	assert.Equal(t, "dog", name)
	assert.LessOrEqual(t, changes, 2, "cat, at most nothing, dog")
}

// About the threshold, and about each other, labels do not alternate.
func TestHysteresis(t *testing.T) {
	l := Label{Rule: Rule{Threshold: 0.5, Margin: 0.1}}
	l.Add(at(0), seen(0.51, 0.4))
	for i := range 20 {
		cat := float32(0.49)
		if i%2 == 0 {
			cat = 0.51
		}
		name, _, changed := l.Add(at(10+i), seen(cat, 0.5))
		assert.Equal(t, "cat", name)
		assert.False(t, changed)
	}
	name, _, _ := l.Add(at(100), seen(0.39, 0.3))
	assert.Empty(t, name)
	name, _, _ = l.Add(at(110), seen(0.45, 0.3))
	assert.Empty(t, name, "not back before the threshold")
}

// The mean depends on time and not on the number of frames.
func TestFrameRateDoesNotMatter(t *testing.T) {
	mean := func(step int) float32 {
		l := Label{Rule: Rule{Time: 300 * time.Millisecond, Threshold: 0.5}}
		l.Add(at(0), seen(0, 1))
		var p float32
		for ms := step; ms <= 600; ms += step {
			_, p, _ = l.Add(at(ms), seen(1, 0))
		}
		return p
	}
	assert.InDelta(t, mean(10), mean(100), 1e-3)
}

func TestAnotherModelAndReset(t *testing.T) {
	l := Label{Rule: Rule{Threshold: 0.5, Time: time.Hour}}
	l.Add(at(0), append(seen(0.1, 0.2), sdk.Prediction{Index: 2, Label: "eel", Probability: 0.7}))
	name, p, changed := l.Add(at(10), seen(0.8, 0.2))
	assert.Equal(t, "cat", name)
	assert.Equal(t, float32(0.8), p, "nothing is left of the other model's means")
	assert.True(t, changed)
	l.Reset()
	name, _, changed = l.Add(at(20), seen(0.9, 0.1))
	assert.Equal(t, "cat", name)
	assert.False(t, changed)
	l.Reset()
	name, _, changed = l.Add(at(25), seen(0.2, 0.8))
	assert.Equal(t, "dog", name)
	assert.True(t, changed)
	name, _, _ = l.Add(at(10), seen(0.2, 0.8)) // of a clock that went back
	assert.Equal(t, "dog", name)
	none, p, _ := l.Add(at(30), nil)
	assert.Empty(t, none)
	assert.Zero(t, p)
}

func TestModelWithoutLabels(t *testing.T) {
	l := Label{Rule: Rule{Threshold: 0.5}}
	name, _, _ := l.Add(at(0), []sdk.Prediction{{Index: 1, Probability: 0.9}, {Index: 0, Probability: 0.1}})
	assert.Equal(t, "class 1", name)
}

func TestAllocatesNothing(t *testing.T) {
	l := Label{Rule: Rule{Time: time.Second, Threshold: 0.5}}
	p := seen(0.9, 0.1)
	i := 0
	assert.Zero(t, testing.AllocsPerRun(100, func() { l.Add(at(i), p); i++ }))
}
