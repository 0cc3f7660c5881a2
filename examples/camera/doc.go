// Command camera labels what cameras see, for as long as the machine runs: several
// of them, each opened again whenever it is lost, on one model.
//
//	camera /dev/video0
//	camera door=rtsp://door.local/stream yard=rtsp://yard.local/stream
//	camera --config /etc/seedge/camera.yaml
//	camera -o out.avi clip.mp4
//
// The flow, one room each:
//
//	internal/config    what it is told, by flags and a YAML file
//	cameras.go         opens the cameras
//	app.go             the loop: pipeline results to observations to sinks
//	internal/steady    labels that do not flicker
//	reload.go          another model between two frames: SIGHUP, or a changed file
//	internal/watch     what sinks are given; they are, as configured:
//	  lines.go           JSON lines on standard output
//	  display.go         a window
//	  film.go            a video of everything
//	  internal/clips     videos of sightings
//	  internal/metrics   Prometheus, at the page's /metrics
//	  internal/mqtt      an MQTT broker, and Home Assistant
//	  internal/systemd   readiness and watchdog; packaging/ has the unit, and make deb
//	  internal/throttle  a warning when the processor is slowed down
//	  internal/web       the page, on http://127.0.0.1:8080
package main
