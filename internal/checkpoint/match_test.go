package checkpoint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plainList() []Want {
	var out []Want
	for _, w := range plainWants {
		out = append(out, w.Want)
	}
	return out
}

func ignoreTracked(name string) bool { return strings.HasSuffix(name, ".num_batches_tracked") }

func TestMatch(t *testing.T) {
	d := loaded(t, "testdata/torch2.15/plain.pth")
	require.NoError(t, d.Match(plainList(), ignoreTracked))

	err := d.Match(plainList(), nil)
	require.ErrorIs(t, err, ErrMismatch)
	assert.ErrorContains(t, err, "0 missing, 0 of another shape or type, 1 unknown")
	assert.ErrorContains(t, err, "1.num_batches_tracked, an integer tensor (I64), is not part of the network")

	wants := plainList()
	wants[0].Shape = []int{3, 2, 5, 5}
	wants[1].Name = "0.scale"
	wants = append(wants, Want{"1.num_batches_tracked", []int{}})
	err = d.Match(wants, ignoreTracked)
	require.ErrorIs(t, err, ErrMismatch)
	assert.Equal(t, ErrMismatch.Error()+` (1 missing, 2 of another shape or type, 1 unknown):
  0.scale is missing, want shape [3]
  0.weight has shape [3 2 3 3], want [3 2 5 5]
  1.num_batches_tracked is an integer tensor (I64), want floats of shape []
  0.bias, of shape [3], is not part of the network`, err.Error())
}

func TestMatchReportsTen(t *testing.T) {
	var wants []Want
	for i := range 14 {
		wants = append(wants, Want{fmt.Sprintf("w%d", i), []int{1}})
	}
	err := NewStateDict().Match(wants, nil)
	require.ErrorIs(t, err, ErrMismatch)
	assert.ErrorContains(t, err, "w9 is missing, want shape [1]\n  and 4 more")
	assert.NotContains(t, err.Error(), "w10 ")
}
