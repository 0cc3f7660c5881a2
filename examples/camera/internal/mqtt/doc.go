// Package mqtt publishes what the cameras show, and how they are, to an MQTT 5
// broker, and tells Home Assistant about them.
//
//	TOPIC/status           online or offline (the last will), retained
//	TOPIC/CAMERA/state     connecting, streaming, stalled, lost or ended, retained
//	TOPIC/CAMERA/result    an observation as JSON, retained
//	DISCOVERY/sensor/...   two sensors for each camera: its label and its state
//
// It is a sink of the results' loop, which it costs a copy into a queue. One
// goroutine sends, each message until the broker has acknowledged it, so that a
// broker that dies loses nothing but what the queue cannot hold; then the oldest
// results go. Of states only the last is kept, and sent anew on each connection.
//
// No password comes from an address or gets into a log. It imports camera, for its
// states, and watch.
package mqtt
