package kernel

// The kernels of gen/src, one line for each instruction set and size.
var depthwiseTiles = []depthwiseTile{
	{AVX2, 3, 16, 2, true, asIs, nil, nil, depthwiseAVX2k3},
	{AVX2, 5, 16, 2, true, asIs, nil, nil, depthwiseAVX2k5},
}

var columnsTiles = []columnsTile{
	{VNNI, 3, 16, true, 8, twoOfEight, depthwiseVNNIk3x8},
	{VNNI, 3, 64, false, 0, byFours(4), depthwiseVNNIk3x64},
	{VNNI, 3, 16, false, 0, nil, depthwiseVNNIk3x16},
	{VNNI, 3, 16, true, 0, nil, depthwiseVNNIk3},
	{VNNI, 5, 64, false, 0, byFours(4), depthwiseVNNIk5x64},
	{VNNI, 5, 16, false, 0, nil, depthwiseVNNIk5x16},
	{VNNI, 5, 16, true, 0, nil, depthwiseVNNIk5},
}

// twoOfEight is where a vector has eight channels of two outputs.
func twoOfEight(i int) int { return i % 8 }

//go:noescape
func depthwiseAVX2k3(args *depthwiseArgs)

//go:noescape
func depthwiseAVX2k5(args *depthwiseArgs)

//go:noescape
func depthwiseVNNIk3x64(args *columnsArgs)

//go:noescape
func depthwiseVNNIk3x16(args *columnsArgs)

//go:noescape
func depthwiseVNNIk5x64(args *columnsArgs)

//go:noescape
func depthwiseVNNIk5x16(args *columnsArgs)

//go:noescape
func depthwiseVNNIk3(args *columnsArgs)

//go:noescape
func depthwiseVNNIk5(args *columnsArgs)

//go:noescape
func depthwiseVNNIk3x8(args *columnsArgs)
