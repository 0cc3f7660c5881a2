package kernel

// The kernels of gen/src, one line for each instruction set (and tile).
var squeezeTiles = []squeezeTile{
	{NEON, false, sumsNEON, rescaleNEON, nil, nil, nil},
}

// wideTiles take int16 rows as they are.
var wideTiles = []gemmTile{
	{NEON, 1, 16, 1, 4, widened, false, nil, wideNEON1x16, wideNEON1x16, nil, 0, nil},
	{DotProd, 1, 16, 4, 8, widened, false, nil, wideDotProd1x16, wideDotProd1x16, nil, 0, nil},
}

//go:noescape
func sumsNEON(args *squeezeArgs)

//go:noescape
func rescaleNEON(args *squeezeArgs)

//go:noescape
func wideNEON1x16(args *gemmArgs)

//go:noescape
func wideDotProd1x16(args *gemmArgs)
