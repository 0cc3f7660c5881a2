package kernel

// The kernels of gen/src, one line for each instruction set (and tile).
var squeezeTiles = []squeezeTile{
	{AVX2, false, sumsAVX2, rescaleAVX2, nil, nil, nil},
	{VNNI, true, sumsVNNI, rescaleVNNI, squeezeVNNI, innerVNNI, gateVNNI},
}

// wideTiles take int16 rows as they are.
var wideTiles = []gemmTile{
	{AVX2, 1, 16, 2, 2, widened, false, column16, gemmAVX21x16, gemmAVX21x16, nil, 0, nil},
	{AVX2, 1, 8, 2, 2, widened, false, nil, gemmAVX21x8, gemmAVX21x8, nil, 0, nil},
	{VNNI, 1, 64, 2, 2, widened, true, nil, wideVNNI1x64, wideVNNI1x64, nil, 0, nil},
	{VNNI, 1, 16, 2, 2, widened, true, nil, wideVNNI1x16, wideVNNI1x16, nil, 0, nil},
}

//go:noescape
func sumsAVX2(args *squeezeArgs)

//go:noescape
func rescaleAVX2(args *squeezeArgs)

//go:noescape
func sumsVNNI(args *squeezeArgs)

//go:noescape
func rescaleVNNI(args *squeezeArgs)

//go:noescape
func squeezeVNNI(args *squeezeArgs)

//go:noescape
func innerVNNI(args *squeezeArgs)

//go:noescape
func gateVNNI(args *squeezeArgs)

//go:noescape
func wideVNNI1x64(args *gemmArgs)

//go:noescape
func wideVNNI1x16(args *gemmArgs)
