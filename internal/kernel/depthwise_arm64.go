package kernel

// The kernels of gen/src, one line for each instruction set and size.
var depthwiseTiles = []depthwiseTile{
	{NEON, 3, 16, 1, false, asIs, nil, depthwiseNEONk3},
	{NEON, 5, 16, 1, false, asIs, nil, depthwiseNEONk5},
}

var columnsTiles []columnsTile

//go:noescape
func depthwiseNEONk3(args *depthwiseArgs)

//go:noescape
func depthwiseNEONk5(args *depthwiseArgs)
