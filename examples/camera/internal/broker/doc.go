// Package broker runs mosquitto for the tests of what publishes to it.
//
// Of tests only. It wants Debian's package mosquitto, which make test installs.
package broker
