package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAccumulate compares packed sums with plain ones over odd sizes, and with
// weights and inputs that fill the 21 bits of a lane fastest, -128 among them.
func TestAccumulate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	fill := map[string]func(i int) int8{
		"random":      func(int) int8 { return int8(r.IntN(256) - 128) },
		"small":       func(int) int8 { return int8(r.IntN(5) - 2) },
		"all -128":    func(int) int8 { return -128 },
		"all -127":    func(int) int8 { return -127 },
		"all 127":     func(int) int8 { return 127 },
		"alternating": func(i int) int8 { return int8(255*(i%2) - 128) },
		"zero":        func(int) int8 { return 0 },
		"ends":        func(int) int8 { return int8(255*r.IntN(2) - 128) },
	}
	const guard = -123456789
	for weights, w := range fill {
		for inputs, x := range fill {
			for range 12 {
				k, n, rows := 1+r.IntN(70), 1+r.IntN(20), 1+r.IntN(5)
				if r.IntN(4) == 0 {
					k = []int{63, 64, 65, 127, 128, 129, 960, 4000}[r.IntN(8)]
				}
				srcStride, accStride := k+r.IntN(3), n+r.IntN(3)
				weight, src, bias := make([]int8, n*k), make([]int8, rows*srcStride), make([]int32, n)
				for i := range weight {
					weight[i] = w(i)
				}
				for i := range src {
					src[i] = x(i)
				}
				for i := range bias {
					bias[i] = r.Int32() - 1<<30
				}
				acc := make([]int32, rows*accStride+8)
				for i := range acc {
					acc[i] = guard
				}
				want := append([]int32(nil), acc...)
				for row := range rows {
					for o := range n {
						sum := bias[o]
						for i := range k {
							sum += int32(weight[o*k+i]) * int32(src[row*srcStride+i])
						}
						want[row*accStride+o] = sum
					}
				}
				m := PackMatrix(weight, bias, n, k)
				m.Accumulate(acc, accStride, src, srcStride, rows)
				require.Equal(t, want, acc, "weights %s, inputs %s, k %d, n %d, rows %d", weights, inputs, k, n, rows)
			}
		}
	}
}

// TestRuns holds every run to what 21 bits can take.
func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 50 {
		n, k := 1+r.IntN(20), 1+r.IntN(1000)
		weight := randomInt8(r, n*k, 1+r.IntN(128))
		m := PackMatrix(weight, make([]int32, n), n, k)
		from, panel := 0, 0
		for _, to := range m.runs {
			require.Greater(t, to, from)
			for o := panel * panelWidth; o < min(n, (panel+1)*panelWidth); o++ {
				sum := 0
				for _, w := range weight[o*k+from : o*k+to] {
					sum += 128 * max(int(w), -int(w))
				}
				require.Less(t, sum, 1<<20)
			}
			from = to
			if to == k {
				from, panel = 0, panel+1
			}
		}
		require.Equal(t, (n+panelWidth-1)/panelWidth, panel)
	}
}
