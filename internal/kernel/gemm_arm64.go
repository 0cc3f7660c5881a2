package kernel

// The kernels of gen/src, one line for each instruction set and tile.
var gemmTiles = []gemmTile{
	{NEON, 4, 4, 16, 8, asIs, false, nil, gemmNEON4x4, gemmNEON1x4, nil, 0},
	{DotProd, 4, 16, 4, 4, asIs, false, nil, gemmDotProd4x16, gemmDotProd1x16, nil, 0},
	{DotProd, 7, 8, 4, 4, asIs, false, nil, gemmDotProd7x8, gemmDotProd1x8, nil, 0},
	{I8MM, 4, 16, 8, 8, asIs, false, nil, gemmI8MM4x16, gemmI8MM1x16, nil, 0},
	{I8MM, 8, 8, 8, 8, asIs, false, nil, gemmI8MM8x8, gemmI8MM1x8, nil, 0},
}

//go:noescape
func gemmNEON4x4(args *gemmArgs)

//go:noescape
func gemmNEON1x4(args *gemmArgs)

//go:noescape
func gemmDotProd4x16(args *gemmArgs)

//go:noescape
func gemmDotProd1x16(args *gemmArgs)

//go:noescape
func gemmDotProd7x8(args *gemmArgs)

//go:noescape
func gemmDotProd1x8(args *gemmArgs)

//go:noescape
func gemmI8MM4x16(args *gemmArgs)

//go:noescape
func gemmI8MM8x8(args *gemmArgs)

//go:noescape
func gemmI8MM1x16(args *gemmArgs)

//go:noescape
func gemmI8MM1x8(args *gemmArgs)
