package kernel

// The kernels of gen/src, one line for each instruction set.
var resampleTiles = []resampleTile{
	{AVX2, acrossAVX2, mixAVX2, 32, shuffle16, splitFour, halves},
}

//go:noescape
func acrossAVX2(args *acrossArgs)

//go:noescape
func mixAVX2(args *mixArgs)

// splitBits is where the kernels that multiply 16 bits split a coefficient: SPLIT
// in gen/src/resample.h.
const splitBits = 11

// halves is the 16-bit parts of two coefficients, the high ones and the low ones.
func halves(to []int32, a, b int32) []int32 {
	const mask = 1<<splitBits - 1
	return append(to, a>>splitBits&0xffff|b>>splitBits<<16, a&mask|b&mask<<16)
}

func splitFour(to []int32, four [4]int32) []int32 {
	return halves(halves(to, four[0], four[1]), four[2], four[3])
}

// shuffle16 pairs the colours of neighbouring pixels, in 16 bits each, for taps 0
// and 1, then 2 and 3; then the vector that drops every fourth byte.
func shuffle16(to []byte, from Pixels) []byte {
	for _, k := range [2]int{0, 2} {
		for _, c := range [3]int{from.R, from.G, from.B} {
			to = append(to, byte(k*from.Size+c), zeroByte, byte((k+1)*from.Size+c), zeroByte)
		}
		to = append(to, zeroByte, zeroByte, zeroByte, zeroByte)
	}
	return dropFourth(to)
}
