package config

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMQTT(t *testing.T) {
	c, err := Parse([]string{"--config", write(t, "mqtt: {server: 'mqtts://broker', username: bob, interval: 2s, queue: 7}\ncameras: [{source: '0'}]"), "--mqtt-topic", "a/b"}, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, MQTT{Server: "mqtts://broker", Username: "bob", Topic: "a/b", Discovery: "homeassistant", Interval: 2 * time.Second, Queue: 7}, c.MQTT)
	for server, want := range map[string]string{"mqtts://broker": "mqtts://broker:8883", "mqtt://[::1]/": "mqtt://[::1]:1883", "mqtt://h:9": "mqtt://h:9"} {
		u, err := MQTT{Server: server}.URL()
		require.NoError(t, err)
		assert.Equal(t, want, u.String())
	}
	secure, err := c.MQTT.TLS()
	require.NoError(t, err)
	assert.Equal(t, "broker", secure.ServerName)
	open, err := MQTT{Server: "mqtt://h"}.TLS()
	require.NoError(t, err)
	assert.Nil(t, open)
	_, err = MQTT{Server: "mqtts://h", CAFile: write(t, "no PEM")}.TLS()
	assert.ErrorIs(t, err, ErrConfig)
}

func TestMQTTRefused(t *testing.T) {
	for text, want := range map[string]string{
		"server: broker":                        "mqtt://host:port",
		"server: 'http://broker'":               "mqtt://host:port",
		"server: 'mqtt://bob:hunter2@h:port x'": "mqtt://host:port",
		"server: 'mqtt://bob:hunter2@h'":        "password_file",
		"server: 'mqtt://h/topic'":              "say topic",
		"server: 'mqtt://h', ca_file: x":        "mqtts://",
		"server: 'mqtts://h', cert_file: x":     "key_file",
		"server: 'mqtt://h', password_file: x":  "username",
		"server: 'mqtt://h', topic: 'a/#'":      "topic is",
		"server: 'mqtt://h', discovery: /a":     "discovery is",
		"server: 'mqtt://h', interval: -1s":     "interval is -1s",
		"server: 'mqtt://h', queue: 0":          "queue is 0",
		"server: 'mqtt://h', password: hunter2": "field password",
	} {
		_, err := Parse([]string{"--config", write(t, "mqtt: {"+text+"}\ncameras: [{source: '0'}]")}, &bytes.Buffer{})
		require.ErrorIs(t, err, ErrConfig, text)
		assert.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "hunter2", text)
	}
}
