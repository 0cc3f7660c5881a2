package kernel

// The kernels of gen/src, one line for each instruction set (and tile).
var squeezeTiles = []squeezeTile{
	{AVX2, false, sumsAVX2, rescaleAVX2},
	{VNNI, true, sumsVNNI, rescaleVNNI},
}

// wideTiles take int16 rows as they are.
var wideTiles = []gemmTile{
	{AVX2, 1, 16, 2, 2, widened, false, column16, gemmAVX21x16, gemmAVX21x16, nil, 0},
	{AVX2, 1, 8, 2, 2, widened, false, nil, gemmAVX21x8, gemmAVX21x8, nil, 0},
}

//go:noescape
func sumsAVX2(args *squeezeArgs)

//go:noescape
func rescaleAVX2(args *squeezeArgs)

//go:noescape
func sumsVNNI(args *squeezeArgs)

//go:noescape
func rescaleVNNI(args *squeezeArgs)
