package kernel

// The kernels of gen/src, one line for each instruction set.
var ycbcrTiles = []ycbcrTile{
	{NEON, [chromaLayouts]func(*ycbcrArgs){ycbcrFullNEON, ycbcrHalfNEON, ycbcrNV12NEON, ycbcrYUYVNEON}},
}

//go:noescape
func ycbcrFullNEON(args *ycbcrArgs)

//go:noescape
func ycbcrHalfNEON(args *ycbcrArgs)

//go:noescape
func ycbcrNV12NEON(args *ycbcrArgs)

//go:noescape
func ycbcrYUYVNEON(args *ycbcrArgs)
