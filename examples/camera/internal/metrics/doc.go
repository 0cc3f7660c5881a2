// Package metrics counts what the application does, for Prometheus: frames, drops,
// reconnections, latencies and states by camera, and the processor's temperature
// and clock where the machine tells them, since a hot one becomes slow.
//
// It is a sink. Cameras are named by their configured names; no address, and so no
// password, is in any metric. It imports camera, for its states, and watch.
package metrics
