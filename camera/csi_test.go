package camera

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipelines(t *testing.T) {
	for _, c := range []struct {
		source string
		r      request
		latest bool
		want   string
	}{
		{"rpi:0", request{}, true,
			"libcamerasrc ! video/x-raw ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false max-buffers=1 drop=true"},
		{"rpi:/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a", request{width: 1280, height: 720, rate: 29.97}, false,
			"libcamerasrc camera-name=/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a ! video/x-raw,width=1280,height=720,framerate=2997/100 ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false max-buffers=2 drop=false"},
		{"jetson:1", request{width: 1920, height: 1080, rate: 30}, true,
			"nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),format=NV12,width=1920,height=1080,framerate=30/1 ! nvvidconv ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false max-buffers=1 drop=true"},
	} {
		src, err := parseSource(c.source)
		require.NoError(t, err, c.source)
		assert.Equal(t, kindCSI, src.kind)
		assert.True(t, src.live())
		assert.Equal(t, c.source, src.name)
		assert.Equal(t, c.want, pipeline(src, c.r, c.latest, ""))
	}
}

// No string reaches GStreamer with anything in it that GStreamer would act on.
func TestPipelinesAreNotInjected(t *testing.T) {
	for _, s := range []string{
		"rpi:", "rpi:1", "rpi:-1", "rpi:0 ! filesink location=/etc/passwd", "rpi:/base/x ! filesink", "rpi:/base/x!y",
		"rpi:/base/\"x", "rpi:/base/x y", "rpi:/base/x\n", "rpi:/dev/x", "rpi:/base/", "rpi:/base/x=y", "rpi:/base/x;",
		"jetson:", "jetson:16", "jetson:+1", "jetson:0 ! fakesink", "jetson:/base/x", "jetson:0x1", "jetson: 1",
	} {
		_, err := parseSource(s)
		assert.ErrorIs(t, err, ErrSource, "%q", s)
	}
	for _, s := range []string{"libcamerasrc ! appsink", "RPI:0", "csi:0", "v4l2src device=/dev/video0 ! appsink"} {
		src, err := parseSource(s)
		require.NoError(t, err, "%q", s)
		assert.Equal(t, kindFile, src.kind, "%q is the name of a file", s)
	}
	_, err := parseSource("gst://videotestsrc ! appsink")
	assert.ErrorIs(t, err, ErrSource)
}
