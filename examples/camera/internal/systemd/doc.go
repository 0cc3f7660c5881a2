// Package systemd tells the service manager when the application is ready, when it
// stops, and, for the watchdog, that results still come: not merely that the
// process is there. It speaks sd_notify(3)'s protocol, and is silent where no
// manager listens.
//
// It is a sink. It imports camera, for its states, and watch.
package systemd
