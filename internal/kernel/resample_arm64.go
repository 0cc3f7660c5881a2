package kernel

// The kernels of gen/src, one line for each instruction set.
var resampleTiles = []resampleTile{
	{NEON, acrossNEON, mixNEON, 16, shuffle32, wholeFour, wholePair},
}

//go:noescape
func acrossNEON(args *acrossArgs)

//go:noescape
func mixNEON(args *mixArgs)

func wholeFour(to []int32, four [4]int32) []int32 { return append(to, four[:]...) }

func wholePair(to []int32, a, b int32) []int32 { return append(to, a, b) }

// shuffle32 is the colours of taps 0 to 3 in 32 bits each.
func shuffle32(to []byte, from Pixels) []byte {
	for k := range 4 {
		for _, c := range [3]int{from.R, from.G, from.B} {
			to = append(to, byte(k*from.Size+c), zeroByte, zeroByte, zeroByte)
		}
		to = append(to, zeroByte, zeroByte, zeroByte, zeroByte)
	}
	return dropFourth(to)
}
