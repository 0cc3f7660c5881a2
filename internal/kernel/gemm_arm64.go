package kernel

var flipTiles []flipTile // tensors are int8

// The kernels of gen/src, one line for each instruction set and tile.
var gemmTiles = []gemmTile{
	{NEON, 4, 4, 16, 8, asIs, false, nil, gemmNEON4x4, gemmNEON1x4, nil, 0, shortZeros},
	{DotProd, 4, 16, 4, 4, asIs, false, nil, gemmDotProd4x16, gemmDotProd1x16, nil, 0, shortZeros},
	{DotProd, 7, 8, 4, 4, asIs, false, nil, gemmDotProd7x8, gemmDotProd1x8, nil, 0, shortZeros},
	{I8MM, 4, 16, 8, 8, asIs, false, nil, gemmI8MM4x16, gemmI8MM1x16, nil, 0, pairsTwice},
	{I8MM, 8, 8, 8, 8, asIs, false, nil, gemmI8MM8x8, gemmI8MM1x8, nil, 0, pairsTwice},
}

// shortZeros makes the zero points int16, in the first half of their place and
// again in the second.
func shortZeros(p []int32, cols int) []int32 {
	for _, param := range []int{paramZero, paramResidualZero} {
		z := p[param*cols:][:cols]
		for i := range cols / 2 {
			z[i] = int32(uint16(z[2*i])) | z[2*i+1]<<16
		}
		copy(z[cols/2:], z[:cols/2])
	}
	return p
}

// pairsTwice repeats each pair of columns, since a register has two rows of two
// columns, and makes the zero points int16.
func pairsTwice(p []int32, cols int) []int32 {
	twice := make([]int32, 2*len(p))
	for i := 0; i < len(p); i += 2 {
		copy(twice[2*i:], p[i:i+2])
		copy(twice[2*i+2:], p[i:i+2])
	}
	return shortZeros(twice, 2*cols)
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
