//go:build cgo && gocv_videoio

package camera

import (
	"bytes"
	"strings"

	"gocv.io/x/gocv"
)

// Network cameras that send one JPEG after another are read undecoded, and each
// picture is decoded here. OpenCV would decode them with what it knew of the
// stream when it was opened: a picture of another size then covers a corner of
// the last one, or is that last one again; and half a picture at the end of a
// connection is filled up. Here a picture is whole, and of its own size.

// propertyFormat is CAP_PROP_FORMAT; -1 asks for what the stream contains.
const propertyFormat gocv.VideoCaptureProperties = 8

// takeJPEGs makes the capture read undecoded if it is a stream of JPEGs.
func (c *opencv) takeJPEGs() {
	// Without a FourCC of its own a stream has the beginning of its codec's name.
	codec := strings.ToLower(fourCCName(uint32(c.vc.Get(gocv.VideoCaptureFOURCC))))
	if c.src.kind != kindStream || codec != "mjpg" && codec != "mjpe" {
		return
	}
	c.vc.Set(propertyFormat, -1)
	if c.vc.Get(propertyFormat) == -1 {
		c.packet, c.jpegs = c.mat, true
		c.mat = gocv.NewMat()
	}
}

// decode turns the packet into a picture. False: it holds no whole one.
func (c *opencv) decode() bool {
	data, err := c.packet.DataPtrUint8()
	if err != nil || !wholeJPEG(data) {
		return false
	}
	return gocv.IMDecodeIntoMat(data, gocv.IMReadColor|gocv.IMReadIgnoreOrientation, &c.mat) == nil && !c.mat.Empty()
}

// wholeJPEG reports whether data begins and ends as a JPEG does; behind the end
// there may be some filling.
func wholeJPEG(data []byte) bool {
	const most = 64
	tail := data[max(0, len(data)-most):]
	return bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}) && bytes.LastIndex(tail, []byte{0xff, 0xd9}) >= 0
}
