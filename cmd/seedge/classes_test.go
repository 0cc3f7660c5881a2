package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatchClasses(t *testing.T) {
	animals := []string{"cat", "dog", "ant"}
	for name, tc := range map[string]struct {
		folders, labels []string
		classes         int
		how             string
		index           map[string]int
		err             string
	}{
		"by label":               {folders: []string{"ant", "cat"}, labels: animals, classes: 3, how: byLabel, index: map[string]int{"ant": 2, "cat": 0}},
		"labels before numbers":  {folders: []string{"0", "1"}, labels: []string{"1", "0"}, classes: 2, how: byLabel, index: map[string]int{"0": 1, "1": 0}},
		"by index":               {folders: []string{"0", "2"}, labels: animals, classes: 3, how: byIndex, index: map[string]int{"0": 0, "2": 2}},
		"by index, no labels":    {folders: []string{"0", "10"}, classes: 11, how: byIndex, index: map[string]int{"0": 0, "10": 10}},
		"by order":               {folders: []string{"a", "b"}, classes: 2, how: byOrder, index: map[string]int{"a": 0, "b": 1}},
		"stranger":               {folders: []string{"ant", "bee"}, labels: animals, classes: 3, err: `"bee" is not one of`},
		"number out of range":    {folders: []string{"0", "3"}, labels: animals, classes: 3, err: "is not one of"},
		"signed number":          {folders: []string{"+1"}, labels: animals, classes: 3, err: `"+1" is not one of`},
		"label twice":            {folders: []string{"crane"}, labels: []string{"crane", "crane"}, classes: 2, err: "more than once"},
		"too few without labels": {folders: []string{"a", "b"}, classes: 3, err: "2 class folders for its 3 classes"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := matchClasses(tc.folders, tc.labels, tc.classes)
			if tc.err != "" {
				assert.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, classMap{tc.how, tc.index}, m)
		})
	}
}

func TestKnowsNone(t *testing.T) {
	assert.True(t, knowsNone([]string{"photos"}, []string{"cat"}, 1))
	assert.True(t, knowsNone([]string{"7"}, nil, 3))
	assert.False(t, knowsNone([]string{"cat", "bee"}, []string{"cat"}, 1))
	assert.False(t, knowsNone([]string{"2"}, nil, 3))
}

func TestWilson(t *testing.T) {
	// Wilson's interval for 90 of 100, from his formula: 0.8256 to 0.9448.
	s := wilson(90, 100)
	assert.InDelta(t, 90, s.Percent, 1e-9)
	assert.InDelta(t, 82.56, s.Low, 0.01)
	assert.InDelta(t, 94.48, s.High, 0.01)
	assert.Equal(t, 100.0, wilson(3, 3).High)
	assert.Less(t, wilson(3, 3).Low, 50.0)
	assert.Equal(t, 0.0, wilson(0, 3).Low)
}
