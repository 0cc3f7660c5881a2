package kernel

// The kernels of gen/src, one line for each instruction set.
var ycbcrTiles = []ycbcrTile{
	{AVX2, [chromaLayouts]func(*ycbcrArgs){ycbcrFullAVX2, ycbcrHalfAVX2, ycbcrNV12AVX2, ycbcrYUYVAVX2}},
}

//go:noescape
func ycbcrFullAVX2(args *ycbcrArgs)

//go:noescape
func ycbcrHalfAVX2(args *ycbcrArgs)

//go:noescape
func ycbcrNV12AVX2(args *ycbcrArgs)

//go:noescape
func ycbcrYUYVAVX2(args *ycbcrArgs)
