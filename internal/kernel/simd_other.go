//go:build !amd64 && !arm64

package kernel

var (
	gemmTiles      []gemmTile
	depthwiseTiles []depthwiseTile
	squeezeTiles   []squeezeTile
	wideTiles      []gemmTile
)
