package camera

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestModeOptions(t *testing.T) {
	device := source{kind: kindDevice, name: "/dev/video0"}
	csi := source{kind: kindCSI, name: "rpi:0", preset: presetPi, target: "0"}
	stream := source{kind: kindStream, name: "http://host/x"}
	for name, c := range map[string]struct {
		src source
		opt Option
		ok  bool
	}{
		"device size":      {device, WithSize(640, 480), true},
		"device rate":      {device, WithRate(29.97), true},
		"device format":    {device, WithPixelFormat(MJPG), true},
		"csi size":         {csi, WithSize(640, 480), true},
		"csi rate":         {csi, WithRate(30), true},
		"csi format":       {csi, WithPixelFormat(YUYV), false},
		"stream size":      {stream, WithSize(640, 480), false},
		"stream rate":      {stream, WithRate(30), false},
		"stream format":    {stream, WithPixelFormat(MJPG), false},
		"file":             {source{name: "a.avi"}, WithRate(30), false},
		"no size":          {device, WithSize(0, 480), false},
		"no rate":          {device, WithRate(0), false},
		"negative rate":    {device, WithRate(-1), false},
		"unknown format":   {device, WithPixelFormat("H264"), false},
		"injected format":  {device, WithPixelFormat("YUYV ! filesink"), false},
		"nothing asked of": {stream, WithLatestFrame(), true},
	} {
		_, err := newOptions(c.src, []Option{c.opt})
		if c.ok {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorIs(t, err, ErrOption, name)
		}
	}
}

func TestVerify(t *testing.T) {
	src := source{name: "/dev/video0"}
	has := Info{Width: 640, Height: 480, FPS: 29.97}
	assert.NoError(t, request{}.verify(src, has, "YUYV"))
	assert.NoError(t, request{640, 480, 30, YUYV}.verify(src, has, "YUYV"))
	assert.ErrorIs(t, request{width: 1280, height: 720}.verify(src, has, "YUYV"), ErrSize)
	assert.ErrorIs(t, request{rate: 25}.verify(src, has, "YUYV"), ErrRate)
	assert.ErrorIs(t, request{pixels: MJPG}.verify(src, has, "YUYV"), ErrPixelFormat)
}

func TestFourCC(t *testing.T) {
	assert.Equal(t, uint32(0x47504a4d), fourCC(MJPG))
	assert.Equal(t, "YUYV", fourCCName(fourCC(YUYV)))
	assert.Equal(t, "??AB", fourCCName(0x42410700))
}
