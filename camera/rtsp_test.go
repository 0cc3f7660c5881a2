//go:build cgo && gocv_videoio

package camera

import (
	"context"
	"errors"
	"image"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An rtspServer is a network camera at rtsp://127.0.0.1:PORT/cam that sends
// the pictures of greyJPEG over RTP, 30 per second.
type rtspServer struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
	port   string
	ready  chan struct{} // closed when there is a stream
	quiet  chan struct{} // closed: stay connected, send nothing
	done   chan struct{}
	once   sync.Once
	sender sync.WaitGroup
}

func (s *rtspServer) url(user, path string) string {
	return "rtsp://" + user + "127.0.0.1:" + s.port + "/" + path
}

func (s *rtspServer) find(path string) (*base.Response, *gortsplib.ServerStream, error) {
	<-s.ready
	if strings.Trim(path, "/") != "cam" {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

func (s *rtspServer) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.find(c.Path)
}

func (s *rtspServer) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.find(c.Path)
}

func (s *rtspServer) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// stop switches the camera off.
func (s *rtspServer) stop() {
	s.once.Do(func() {
		close(s.done)
		s.sender.Wait()
		s.stream.Close()
		s.server.Close()
	})
}

func rtspCam(t *testing.T) *rtspServer { return rtspCamAt(t, "0") }

func rtspCamAt(t *testing.T, port string) *rtspServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	require.NoError(t, err)
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	s := &rtspServer{port: port, ready: make(chan struct{}), quiet: make(chan struct{}), done: make(chan struct{})}
	s.server = &gortsplib.Server{
		Handler:     s,
		RTSPAddress: l.Addr().String(),
		Listen:      func(string, string) (net.Listener, error) { return l, nil },
	}
	require.NoError(t, s.server.Start())
	mjpeg := &format.MJPEG{}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{mjpeg}}
	s.stream = gortsplib.NewServerStream(s.server, &description.Session{Medias: []*description.Media{media}})
	close(s.ready)
	encoder, err := mjpeg.CreateEncoder()
	require.NoError(t, err)
	s.sender.Go(func() {
		tick := time.NewTicker(time.Second / 30)
		defer tick.Stop()
		quiet := s.quiet
		for i := 0; ; i++ {
			select {
			case <-s.done:
				return
			case <-quiet:
				<-s.done
				return
			case <-tick.C:
			}
			packets, err := encoder.Encode(greyJPEG(i))
			if err != nil {
				panic(err)
			}
			for _, p := range packets {
				p.Timestamp = uint32(i * 90000 / 30)
				_ = s.stream.WritePacketRTP(media, p) // nobody may be watching
			}
		}
	})
	t.Cleanup(s.stop)
	return s
}

func TestRTSP(t *testing.T) {
	s := rtspCam(t)
	c := openTest(t, s.url("", "cam"), WithReadTimeout(5*time.Second))
	n, before := 0, -1
	for f, err := range c.Frames(context.Background()) {
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 320, 240), f.Bounds())
		grey := evenGrey(f)
		assert.GreaterOrEqual(t, grey, 0)
		assert.NotEqual(t, before, grey)
		before = grey
		if n++; n == 20 {
			break
		}
	}
}

func TestRTSPEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*rtspServer)
	}{
		{"switched off", (*rtspServer).stop},
		{"silent", func(s *rtspServer) { close(s.quiet) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := rtspCam(t)
			cam := openTest(t, s.url("", "cam"), WithReadTimeout(quick))
			n := 0
			var end error
			for _, err := range cam.Frames(context.Background()) {
				if end = err; err != nil {
					break
				}
				if n++; n == 10 {
					go c.end(s)
				}
			}
			assert.GreaterOrEqual(t, n, 10)
			assert.True(t, errors.Is(end, ErrLost) || errors.Is(end, ErrTimeout), "%v", end)
		})
	}
}

func TestRTSPDoesNotOpen(t *testing.T) {
	s := rtspCam(t)
	_, err := Open(context.Background(), s.url("", "elsewhere"), WithOpenTimeout(5*time.Second))
	assert.ErrorIs(t, err, ErrOpen)
	s.stop()
	_, err = Open(context.Background(), s.url("", "cam"), WithOpenTimeout(5*time.Second))
	assert.ErrorIs(t, err, ErrOpen)
}
