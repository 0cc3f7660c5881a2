// Package web serves the application's page: live previews, labels, a graph of
// latency and frame rate, and each camera's state. The page is plain HTML, CSS and
// JavaScript inside the program.
//
// It is a sink of the results' loop and copies what it is shown: small, at most
// ten times a second, and only while somebody looks. Encoding and sending happen
// on other goroutines, so that a slow or dead browser costs the loop nothing.
//
// What is not on the screen does not stream, and a hidden page leaves its place to
// others. The tests drive the page in Chromium; with -update they make the pictures
// of it in docs/.
//
// Other machines need the bearer token. It imports camera for its states, and the
// application's thumb and watch.
package web
