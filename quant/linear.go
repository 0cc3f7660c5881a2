package quant

import (
	"gonum.org/v1/gonum/blas"
	blasgonum "gonum.org/v1/gonum/blas/gonum"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
)

// Matrices are [rows][columns] without gaps, as gonum's BLAS and LAPACK, both
// in Go, take them.
var (
	linear blasgonum.Implementation
	lapack lapackgonum.Implementation
)

const (
	noTrans = blas.NoTrans
	trans   = blas.Trans
)
