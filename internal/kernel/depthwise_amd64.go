package kernel

// The kernels of gen/src, one line for each instruction set and size.
var depthwiseTiles = []depthwiseTile{
	{AVX2, 3, 16, 2, true, asIs, nil, depthwiseAVX2k3},
	{AVX2, 5, 16, 2, true, asIs, nil, depthwiseAVX2k5},
	{VNNI, 3, 32, 4, false, offset128, channel32, depthwiseVNNIk3},
	{VNNI, 5, 32, 4, false, offset128, channel32, depthwiseVNNIk5},
}

// channel32 is the order in which unpacking bytes by fours leaves 32 channels,
// and packing brings back.
func channel32(i int) int {
	quarter, lane, e := i/8, i/4%2, i%4
	return 16*lane + 4*quarter + e
}

//go:noescape
func depthwiseAVX2k3(args *depthwiseArgs)

//go:noescape
func depthwiseAVX2k5(args *depthwiseArgs)

//go:noescape
func depthwiseVNNIk3(args *depthwiseArgs)

//go:noescape
func depthwiseVNNIk5(args *depthwiseArgs)
