// Package camera turns a camera, a stream or a video file into a loop over
// frames. It is the room where pixels enter the house, and the only one that
// uses cgo: OpenCV, through gocv, stands behind it.
//
//	cam, err := camera.Open(ctx, "/dev/video0")
//	if err != nil {
//		return err
//	}
//	defer cam.Close()
//	for frame, err := range cam.Frames(ctx) {
//		if err != nil {
//			return err
//		}
//		use(frame) // an image.Image, valid until the next turn of the loop
//	}
//
// # Flow
//
// The online flow begins here: camera -> preprocess -> engine -> labels. A
// [Frame] is an image.Image that also lends its packed BGR bytes
// ([Frame.BGR]), so that preprocessing can read it without a conversion.
//
// The package knows nothing of networks and imports nothing else of this
// module.
//
// # Faults
//
// Streams stall, cables come out and servers restart. With [WithReconnect] the
// camera opens its source again and again, with growing pauses, and the loop
// goes on where its body does:
//
//	for frame, err := range cam.Frames(ctx) {
//		if err != nil {
//			log.Print(err) // lost, or still away
//			continue
//		}
//
// [WithStatus] and [WithLogger] tell of every change of [State], [Camera.Stats]
// counts. Errors, logs and statuses name a source without what may be a password.
//
// # Modes
//
// [List] finds the V4L2 cameras of a machine and what they offer; [WithSize],
// [WithRate] and [WithPixelFormat] ask for it, and Open fails rather than give
// something else.
//
// # Ownership
//
// OpenCV's capture may be used by one thread at a time, and closing it while a
// read is blocked is a use after free. So one goroutine per [Camera] opens,
// reads and releases it; everything else talks to that goroutine. Frames are
// copied out of OpenCV into three buffers which take turns: one being filled,
// one waiting, one in the caller's hands. In the steady state nothing is
// allocated.
//
// # Time
//
// No call blocks for ever; nor does a turn of the loop. Opening is bounded by [WithOpenTimeout], waiting
// for a frame by [WithReadTimeout], whatever OpenCV is doing meanwhile. Where
// OpenCV cannot be interrupted (it waits up to 10 s for a stalled V4L2 device;
// the environment variable OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT, in seconds,
// changes that; a name server may be slow), the call returns in time and the
// owner releases the device as soon as OpenCV lets go of it.
//
// # Building
//
// The build tag gocv_videoio, with cgo, brings OpenCV in. Without it the
// package still compiles, for every platform, and Open returns [ErrBuild],
// which says how to build with cameras. With a full OpenCV (Debian's
// libopencv-dev) the tags are all that is needed:
//
//	go build -tags gocv_specific_modules,gocv_videoio ./cmd/seedge
//
// With the small package set (libopencv-videoio-dev) the tag customenv and the
// flags of opencv.mk are needed as well; `make build` chooses by itself. The tag
// gocv_highgui adds [Window].
package camera
