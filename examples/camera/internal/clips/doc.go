// Package clips records a video around each sighting: the seconds before it, from
// memory, and those after. The folder is bounded; the oldest clips make way.
//
// Frames come from the results' loop and are copied small and at most ten times a
// second; a goroutine for each camera encodes and writes. If the disk is slower
// than that, frames of the clip are left out, and the loop goes on.
//
// It imports camera, for its Writer, and the application's thumb and watch.
package clips
