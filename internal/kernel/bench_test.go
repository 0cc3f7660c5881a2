package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkPointwise(b *testing.B) {
	for _, s := range []struct{ pixels, k, n int }{{12544, 16, 64}, {3136, 72, 24}, {196, 80, 200}, {196, 480, 112}, {49, 160, 960}, {49, 960, 160}, {1, 960, 1280}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.pixels, s.k, s.n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			m := PackMatrix(randomInt8(r, s.n*s.k, 40), make([]int32, s.n), s.n, s.k)
			e := randomEpilogue(r, Identity, s.n)
			src, dst := randomInt8(r, s.pixels*s.k, 128), make([]int8, s.pixels*s.n)
			acc := make([]int32, TileRows*s.n)
			for b.Loop() {
				Pointwise(dst, src, nil, s.pixels, m, &e, acc)
			}
			report(b, s.pixels*s.k*s.n)
		})
	}
}

func BenchmarkAccumulate(b *testing.B) {
	for _, k := range []int{16, 64, 240, 960} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			const rows, n = 8, 96
			r := rand.New(rand.NewPCG(1, 2))
			m := PackMatrix(randomInt8(r, n*k, 40), make([]int32, n), n, k)
			src, acc := randomInt8(r, rows*k, 128), make([]int32, rows*n)
			for b.Loop() {
				m.Accumulate(acc, n, src, k, rows)
			}
			report(b, rows*n*k)
		})
	}
}

func BenchmarkEpilogue(b *testing.B) {
	for name, f := range map[string]Activation{"identity": Identity, "relu6": ReLU6, "hard_swish": HardSwish} {
		b.Run(name, func(b *testing.B) {
			const n = 240
			r := rand.New(rand.NewPCG(1, 2))
			e := randomEpilogue(r, f, n)
			dst, acc := make([]int8, n), make([]int32, n)
			for o := range acc {
				acc[o] = r.Int32N(200000) - 100000
			}
			for b.Loop() {
				e.Apply(dst, acc, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
		})
	}
}

func BenchmarkDepthwise(b *testing.B) {
	for _, s := range []struct{ size, c, kernel, stride int }{{112, 16, 3, 1}, {56, 72, 3, 1}, {56, 72, 5, 2}, {28, 120, 5, 1}, {14, 480, 3, 1}, {7, 960, 5, 1}} {
		b.Run(fmt.Sprintf("%dx%dk%ds%d", s.size, s.c, s.kernel, s.stride), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			out := (s.size + s.stride - 1) / s.stride
			g := Geometry{s.size, s.size, s.c, out, out, s.c, s.kernel, s.kernel, s.stride, s.stride, 1, 1, s.kernel / 2, s.kernel / 2, s.c, 0}
			e := randomEpilogue(r, Identity, s.c)
			w := randomInt8(r, s.c*s.kernel*s.kernel, 40)
			src, dst, zero := randomInt8(r, s.size*s.size*s.c, 128), make([]int8, out*out*s.c), make([]int8, s.c)
			acc, bias := make([]int32, s.c), make([]int32, s.c)
			for b.Loop() {
				Depthwise(dst, src, nil, zero, &g, w, bias, &e, acc)
			}
			report(b, out*out*s.c*s.kernel*s.kernel)
		})
	}
}

func report(b *testing.B, macs int) {
	b.ReportMetric(float64(macs)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
}
