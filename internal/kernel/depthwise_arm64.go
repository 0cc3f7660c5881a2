package kernel

// The kernels of gen/src, one line for each instruction set and size.
var depthwiseTiles = []depthwiseTile{
	{NEON, 3, 16, 1, false, asIs, nil, pairsOf3, depthwiseNEONk3},
	{NEON, 5, 16, 1, false, asIs, nil, pairsOf5, depthwiseNEONk5},
	{DotProd, 3, 8, 4, false, asIs, nil, columnsOf3, depthwiseDotProdk3},
	{DotProd, 5, 8, 4, false, asIs, nil, columnsOf5, depthwiseDotProdk5},
}

// pairsOf3 puts the two upper taps of a column together, then the bottom row.
func pairsOf3(k int) int {
	if k < 6 {
		return k%3*2 + k/3
	}
	return k
}

// pairsOf5 puts together two taps of a column in the first two rows, then in the
// next two, then the bottom row.
func pairsOf5(k int) int {
	if k < 20 {
		return k/10*10 + k%5*2 + k/5%2
	}
	return k
}

// columnsOf3 puts the three taps of a column together.
func columnsOf3(k int) int { return k%3*4 + k/3 }

// columnsOf5 puts the upper four taps of a column together, then the bottom row.
func columnsOf5(k int) int {
	if k < 20 {
		return k%5*4 + k/5
	}
	return k
}

var columnsTiles []columnsTile

//go:noescape
func depthwiseNEONk3(args *depthwiseArgs)

//go:noescape
func depthwiseNEONk5(args *depthwiseArgs)

//go:noescape
func depthwiseDotProdk3(args *depthwiseArgs)

//go:noescape
func depthwiseDotProdk5(args *depthwiseArgs)
