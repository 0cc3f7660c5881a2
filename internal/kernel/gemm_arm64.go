package kernel

// The kernels of gen/src, one line for each instruction set and tile.
var gemmTiles = []gemmTile{
	{NEON, 4, 4, 16, 8, asIs, false, nil, gemmNEON4x4, gemmNEON1x4, nil, 0},
	{DotProd, 7, 8, 4, 4, asIs, false, nil, gemmDotProd7x8, gemmDotProd1x8, nil, 0},
	{I8MM, 8, 8, 8, 8, asIs, false, nil, gemmI8MM8x8, nil, nil, 0},
}

//go:noescape
func gemmNEON4x4(args *gemmArgs)

//go:noescape
func gemmNEON1x4(args *gemmArgs)

//go:noescape
func gemmDotProd7x8(args *gemmArgs)

//go:noescape
func gemmDotProd1x8(args *gemmArgs)

//go:noescape
func gemmI8MM8x8(args *gemmArgs)
