//go:build !amd64 && !arm64

package kernel

var gemmTiles []gemmTile

var depthwiseTiles []depthwiseTile
