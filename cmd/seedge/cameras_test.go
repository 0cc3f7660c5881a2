package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
)

var twoCameras = []camera.Device{
	{
		Path: "/dev/video0", Stable: "/dev/v4l/by-id/usb-Webcam", Name: "HD Webcam", Driver: "uvcvideo", Bus: "usb-1",
		Modes: []camera.Mode{
			{Pixels: "MJPG", Width: 1280, Height: 720, MinWidth: 1280, MinHeight: 720, Rates: []float64{30, 29.97}},
			{Pixels: "NV12", Width: 4096, Height: 2160, MinWidth: 16, MinHeight: 16},
			{Pixels: "H264"},
		},
	},
	{Path: "/dev/video2", Name: "Locked", Err: errors.New("permission denied")},
}

func TestPrintCameras(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &writer{w: &out}, errs: io.Discard}
	require.NoError(t, a.printCameras(twoCameras))
	assert.Equal(t, `/dev/video0  HD Webcam
  /dev/v4l/by-id/usb-Webcam
  MJPG  1280x720            30 29.97 frames/s
  NV12  16x16 to 4096x2160  
  H264  size not told       
/dev/video2  Locked
  permission denied
`, out.String())

	out.Reset()
	a.json = true
	require.NoError(t, a.printCameras(twoCameras))
	var all []listed
	require.NoError(t, json.Unmarshal(out.Bytes(), &all))
	require.Len(t, all, 2)
	assert.Equal(t, listedMode{Pixels: "NV12", Width: 4096, Height: 2160, MinWidth: 16, MinHeight: 16, Rates: []float64{}}, all[0].Modes[1])
	assert.Equal(t, "permission denied", all[1].Error)
}

func TestCameras(t *testing.T) {
	if runtime.GOOS != "linux" {
		fails(t, t.TempDir(), []string{"Linux"}, "cameras")
		return
	}
	var all []listed
	require.NoError(t, json.Unmarshal([]byte(seedge(t, t.TempDir(), "cameras", "--json")), &all))
	fails(t, t.TempDir(), []string{"arguments"}, "cameras", "0")
}
