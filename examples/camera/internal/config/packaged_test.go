package config

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The file that the package installs says the defaults, and what it shows in
// comments is no lie either.
func TestPackagedFile(t *testing.T) {
	const path = "../../packaging/camera.yaml"
	c, err := Read(path)
	require.NoError(t, err)
	require.NoError(t, c.Check())
	want := Default()
	want.Cameras = []Camera{{Name: "camera1", Source: "/dev/video0"}}
	assert.Equal(t, want, c)

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	all := regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:)`).ReplaceAll(text, []byte("$1$2"))
	c, err = parse(all)
	require.NoError(t, err, "%s", all)
	require.NoError(t, c.Check())
	want.MQTT.Server, want.MQTT.Username, want.MQTT.PasswordFile = "mqtts://broker:8883", "camera", "/etc/seedge/mqtt-password"
	want.Web.TokenFile, want.Clips.Folder = "/etc/seedge/token", "/var/lib/seedge/clips"
	want.Cameras = []Camera{{Name: "camera1", Source: "/dev/video0", Size: "640x480", Rate: 30, Pixels: "MJPG", Region: []int{0, 0, 320, 240}}}
	assert.Equal(t, want, c)
}
