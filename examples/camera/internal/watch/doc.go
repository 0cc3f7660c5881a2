// Package watch names what passes between the rooms of the camera application:
// what a camera shows at a moment (an [Observation]), and the places that it goes
// to (a [Sink]): standard output, clips, the web page, metrics, MQTT.
//
// It stands behind the online flow: camera -> preprocess -> engine -> labels ->
// sinks. It imports camera, for its states, and nothing else of the module.
package watch
