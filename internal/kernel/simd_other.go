//go:build !amd64 && !arm64

package kernel

var (
	gemmTiles      []gemmTile
	depthwiseTiles []depthwiseTile
	columnsTiles   []columnsTile
	flipTiles      []flipTile
	squeezeTiles   []squeezeTile
	wideTiles      []gemmTile
	resampleTiles  []resampleTile
	ycbcrTiles     []ycbcrTile
)
