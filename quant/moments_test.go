package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// linearSamples are int8 inputs whose channels resemble each other, and outputs
// that are weight times them.
func linearSamples(seed uint64, n, k int, weight []float64) (rows [][]int8, columns []int, targets [][]float32) {
	r := newRand(seed)
	for range n {
		common := 40 * r.NormFloat64()
		row := make([]int8, k)
		for i := range row {
			row[i] = int8(min(max(common+10*r.NormFloat64()+float64(i), -128), 127))
		}
		out := make([]float32, len(weight)/k)
		for o := range out {
			sum := 0.5
			for i, v := range row {
				sum += weight[o*k+i] * float64(v)
			}
			out[o] = float32(sum)
		}
		rows, targets = append(rows, row), append(targets, out)
	}
	for i := range k {
		columns = append(columns, i)
	}
	return rows, columns, targets
}

func randomWeights(seed uint64, n int) []float64 {
	r := newRand(seed)
	w := make([]float64, n)
	for i := range w {
		w[i] = r.NormFloat64()
	}
	return w
}

func TestMomentsAgainstTheirDefinition(t *testing.T) {
	const n, k, o = 1500, 5, 2 // more than a chunk
	rows, _, targets := linearSamples(1, n, k, randomWeights(2, o*k))
	columns := []int{4, 1, 3}
	half := sums(rows[:700], columns, targets[:700], 1, 1, 2)
	m := half.plus(sums(rows[700:], columns, targets[700:], 1, 1, 3)).centre()
	mean := func(f func(i int) float64) float64 {
		sum := 0.0
		for i := range n {
			sum += f(i)
		}
		return sum / n
	}
	y := mean(func(i int) float64 { return float64(targets[i][1]) })
	assert.InEpsilon(t, y, m.target[0], 1e-9)
	energy := mean(func(i int) float64 { return math.Pow(float64(targets[i][1])-y, 2) })
	assert.InEpsilon(t, energy, m.energy, 1e-9)
	for a, ca := range columns {
		ma := mean(func(i int) float64 { return float64(rows[i][ca]) })
		assert.InEpsilon(t, ma, m.mean[a], 1e-9)
		cross := mean(func(i int) float64 { return (float64(rows[i][ca]) - ma) * (float64(targets[i][1]) - y) })
		assert.InEpsilon(t, cross, m.cross[a], 1e-4)
		for b, cb := range columns {
			mb := mean(func(i int) float64 { return float64(rows[i][cb]) })
			cov := mean(func(i int) float64 { return (float64(rows[i][ca]) - ma) * (float64(rows[i][cb]) - mb) })
			assert.InEpsilon(t, cov, m.cov[a*len(columns)+b], 1e-9)
		}
	}
}

func split(rows [][]int8, columns []int, targets [][]float32) (all *moments, halves [2]*moments) {
	n, o := len(rows)/2, len(targets[0])
	halves[0] = sums(rows[:n], columns, targets[:n], 0, o, 2)
	halves[1] = sums(rows[n:], columns, targets[n:], 0, o, 2)
	all = halves[0].plus(halves[1]).centre()
	halves[0].centre()
	halves[1].centre()
	return all, halves
}

// Weights that were disturbed are found again, with the intercept.
func TestRefitFindsTheWeights(t *testing.T) {
	const n, k, o = 2000, 6, 3
	want := randomWeights(3, o*k)
	all, halves := split(linearSamples(4, n, k, want))
	start := append([]float64(nil), want...)
	for i := range start {
		start[i] += 0.1 * float64(i%3-1)
	}
	got := refit(all, halves, start)
	require.NotNil(t, got)
	assert.Less(t, all.residue(got), all.residue(start)/5)
	for _, w := range want {
		assert.InDelta(t, 0, all.residue(want)/all.energy, 1e-6, "the true weights leave nothing; %g", w)
	}
	bias := make([]float64, o)
	all.intercepts(want, bias, func(int) float64 { return 0 })
	assert.InDeltaSlice(t, []float64{0.5, 0.5, 0.5}, bias, 1e-3)
}

// Where the outputs have nothing to do with the inputs there is nothing to learn.
func TestRefitLeavesNoiseAlone(t *testing.T) {
	r := newRand(8)
	rows, columns, targets := linearSamples(5, 60, 30, make([]float64, 30))
	for i := range targets {
		targets[i][0] = float32(r.NormFloat64())
	}
	all, halves := split(rows, columns, targets)
	zero := make([]float64, 30)
	if got := refit(all, halves, zero); got != nil {
		assert.Less(t, halves[1].residue(halves[0].leastSquares(zero, ridges[0]))+halves[0].residue(halves[1].leastSquares(zero, ridges[0])),
			halves[0].residue(zero)+halves[1].residue(zero))
	}
	assert.Greater(t, halves[1].residue(halves[0].leastSquares(zero, 1e-3)), halves[1].residue(zero), "a close fit to noise does harm")
}

// U' U is the inverse of the damped covariance.
func TestCarrierFactorsTheInverse(t *testing.T) {
	const k = 7
	all, _ := split(linearSamples(6, 500, k, randomWeights(7, k)))
	u := all.carrier(0.01)
	require.NotNil(t, u)
	h := all.damped(0.01)
	for i := range k {
		for j := range k {
			sum := 0.0
			for a := range k {
				inverse := 0.0 // (U' U)[i, a]; below the diagonal lies what LAPACK left
				for b := range min(i, a) + 1 {
					inverse += u[b*k+i] * u[b*k+a]
				}
				sum += inverse * h[a*k+j]
			}
			want := 0.0
			if i == j {
				want = 1
			}
			assert.InDelta(t, want, sum, 1e-9)
		}
	}
}

// Carrying errors on leaves less of them in the output than rounding to nearest,
// and never weights out of range.
func TestCompensate(t *testing.T) {
	const k, o = 24, 8
	all, halves := split(linearSamples(9, 3000, k, randomWeights(10, o*k)))
	w := randomWeights(11, o*k)
	u := chooseCarrier(all, halves, w, 2)
	require.NotNil(t, u)
	assert.Less(t, all.spread(change(w, k, u, 1)), 0.5*all.spread(change(w, k, nil, 1)))
	q := make([]int8, k)
	for i := range w {
		w[i] *= 200
	}
	compensate(w[:k], u, q)
	for _, v := range q {
		assert.GreaterOrEqual(t, v, int8(-127))
	}
}

// Dead inputs have no variance; damping keeps the factorisation possible.
func TestCarrierOfDeadInputs(t *testing.T) {
	rows := make([][]int8, 50)
	targets := make([][]float32, 50)
	for i := range rows {
		rows[i], targets[i] = []int8{-128, int8(i), -128}, []float32{1}
	}
	all, halves := split(rows, []int{0, 1, 2}, targets)
	w := []float64{1, 2, 3}
	require.NotNil(t, all.carrier(0.01))
	if u := chooseCarrier(all, halves, w, 1); u != nil {
		for _, v := range change(w, 3, u, 1) {
			assert.LessOrEqual(t, math.Abs(v), 3.0/127)
		}
	}
	dead := make([][]int8, 50)
	for i := range dead {
		dead[i] = []int8{-128, 0, 5}
	}
	all, halves = split(dead, []int{0, 1, 2}, targets)
	assert.Nil(t, refit(all, halves, w))
	assert.Nil(t, chooseCarrier(all, halves, w, 1), "nothing moves, so nothing is gained")
}
