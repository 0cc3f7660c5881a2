package engine

import "github.com/seedge/seedge/internal/kernel"

// minChunk is the least work that is worth handing to another thread, in
// nanoseconds: a few times what it takes to hand it over, which is a fraction of
// a microsecond while the threads are hot.
const minChunk = 1500

// macsPerNanosecond is what a core does with each instruction set, roughly: on
// servers and laptops for amd64, on single-board computers for arm64. It decides
// no more than which steps are too small to be cut up.
var macsPerNanosecond = map[kernel.ISA]float64{
	kernel.Generic: 2, kernel.NEON: 6, kernel.DotProd: 30, kernel.I8MM: 50, kernel.AVX2: 60, kernel.VNNI: 200,
}

// bytesPerNanosecond is the same for bytes of activations that are read, worked
// on and written.
var bytesPerNanosecond = map[kernel.ISA]float64{
	kernel.Generic: 0.5, kernel.NEON: 1, kernel.DotProd: 2, kernel.I8MM: 2, kernel.AVX2: 8, kernel.VNNI: 10,
}

// rowMacsPerNanosecond bounds the above for products of one row: each weight is
// used once, so memory is what takes time.
const rowMacsPerNanosecond = 25

// work is what a step does.
type work struct {
	macs, bytes int64
	row         bool // it is a product of one row
}

// worthwhile is how many chunks a step's work justifies.
func worthwhile(isa kernel.ISA, w work) int {
	rate := macsPerNanosecond[isa]
	if w.row {
		rate = min(rate, rowMacsPerNanosecond)
	}
	ns := float64(w.macs)/rate + float64(w.bytes)/bytesPerNanosecond[isa]
	return max(1, int(min(ns/minChunk, maxChunks)))
}
