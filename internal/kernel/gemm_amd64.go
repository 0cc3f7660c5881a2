package kernel

// The kernels of gen/src, one line for each instruction set and tile.
var gemmTiles = []gemmTile{
	{AVX2, 6, 16, 2, 2, widened, false, column16, gemmAVX26x16, gemmAVX21x16, widenAVX2, 16, nil},
	{AVX2, 8, 8, 2, 2, widened, false, nil, gemmAVX28x8, gemmAVX21x8, widenAVX2, 16, nil},
	{VNNI, 6, 64, 4, 4, offset128, true, byFours(4), gemmVNNI6x64, gemmVNNI1x64, nil, 0, nil},
	{VNNI, 8, 48, 4, 4, offset128, true, byFours(3), gemmVNNI8x48, gemmVNNI1x48, nil, 0, nil},
	{VNNI, 8, 32, 4, 4, offset128, true, byFours(2), gemmVNNI8x32, gemmVNNI1x32, nil, 0, nil},
	{VNNI, 8, 16, 4, 4, offset128, true, nil, gemmVNNI8x16, gemmVNNI1x16, nil, 0, nil},
}

var flipTiles = []flipTile{
	{VNNI, flipVNNI},
}

// byFours is the order in which packing gives the columns of n registers of 16:
// each lane has four of a register, then four of the next.
func byFours(n int) func(i int) int {
	return func(i int) int {
		v, lane, e := i/16, i/4%4, i%4
		return 4*n*lane + 4*v + e
	}
}

// column16 is the order in which packing two registers of eight gives columns 0
// to 15.
func column16(i int) int {
	v, lane, e := i/8, i/4%2, i%4
	return 8*lane + 4*v + e
}

//go:noescape
func gemmAVX26x16(args *gemmArgs)

//go:noescape
func gemmAVX28x8(args *gemmArgs)

//go:noescape
func gemmAVX21x16(args *gemmArgs)

//go:noescape
func gemmAVX21x8(args *gemmArgs)

//go:noescape
func widenAVX2(args *gemmArgs)

//go:noescape
func gemmVNNI6x64(args *gemmArgs)

//go:noescape
func gemmVNNI8x48(args *gemmArgs)

//go:noescape
func gemmVNNI8x32(args *gemmArgs)

//go:noescape
func gemmVNNI8x16(args *gemmArgs)

//go:noescape
func gemmVNNI1x64(args *gemmArgs)

//go:noescape
func gemmVNNI1x48(args *gemmArgs)

//go:noescape
func gemmVNNI1x32(args *gemmArgs)

//go:noescape
func gemmVNNI1x16(args *gemmArgs)

//go:noescape
func flipVNNI(args *gemmArgs)
