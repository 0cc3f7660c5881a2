// Package thumb makes small copies of frames, for those who keep frames longer
// than the camera lends them: the web page's preview and the clips' pre-roll.
//
// It takes any image, with a fast path for packed BGR pixels, and imports nothing
// of the module.
package thumb
