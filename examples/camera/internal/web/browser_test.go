package web

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/examples/camera/internal/watch"
)

var update = flag.Bool("update", false, "write the page's screenshots to docs/")

// A tab is one of a browser's, with what its page complained of.
type tab struct {
	context.Context
	close func()

	mu         sync.Mutex
	complaints []string
}

// browser starts Chromium, with nothing of the user's.
func browser(t *testing.T) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		const help = "needs Chromium: run `make test`, or install Debian's package chromium"
		if os.Getenv("SEEDGE_REQUIRE_DATA") == "1" {
			t.Fatal(help)
		}
		t.Skip(help)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		// It only sees this test's own pages, and often no sandbox can be made where tests run.
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(func() {
		stop() // waits for its end
		cancel()
	})
	return newTab(t, ctx)
}

func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{}
	b.Context, b.close = chromedp.NewContext(parent, append(options, chromedp.WithListener(b.listen))...)
	t.Cleanup(b.close)
	b.do(t) // opens it
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b, steps...))
}

func (b *tab) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.complaints...)
}

// ask evaluates JavaScript in the page.
func ask[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err, script)
	return v
}

// becomes waits until a condition in JavaScript is true.
func (b *tab) becomes(t *testing.T, script string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ask[bool](t, b, script); time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "never: %s\nthe page: %s\ncomplaints: %v", script, ask[string](t, b, "document.body.innerText"), b.complained())
	}
}

// scene is a ball that rolls over a field; its place says which picture it is.
func scene(n int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	x0, y0 := float64(20+n*7%280), 150-40*math.Abs(math.Sin(float64(n)/6))
	for y := range 240 {
		for x := range 320 {
			c := color.RGBA{uint8(120 + y/3), uint8(160 + y/4), 220, 255}
			if y > 160 {
				c = color.RGBA{70, uint8(190 - y/3), 80, 255}
			}
			if d := math.Hypot(float64(x)-x0, float64(y)-y0); d < 18 {
				c = color.RGBA{uint8(235 - 4*d), uint8(110 - 3*d), 40, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// play shows two cameras what the application would; the door's label is another
// each second.
func play(t *testing.T, s *Server) {
	s.Status("door", camera.Status{State: camera.Streaming, Time: time.Now()})
	s.Status("yard", camera.Status{State: camera.Lost, Time: time.Now()})
	begin := time.Now()
	step := func(n int) {
		label, before := []string{"cat", "dog", ""}[n/20%3], []string{"cat", "dog", ""}[max(0, n-1)/20%3]
		at := begin.Add(time.Duration(n) * 50 * time.Millisecond)
		wave := math.Sin(float64(n) / 15)
		s.Observe(&watch.Observation{
			Camera: "door", Time: at, Frame: uint64(n), Label: label, Probability: 0.87, Changed: n == 0 || label != before,
			FPS: 20 + 2*wave, Latency: 14 + 3*wave*wave,
		}, scene(n))
	}
	done := make(chan struct{})
	var playing sync.WaitGroup
	playing.Go(func() {
		for n := 0; ; n++ {
			step(n)
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		playing.Wait()
	})
}

// pixels are the preview's, or the graph's, as the browser has them.
const pixels = `(() => {
	const from = document.querySelector(%q), to = document.createElement('canvas');
	to.width = 80; to.height = 60;
	const context = to.getContext('2d');
	context.drawImage(from, 0, 0, 80, 60);
	return Array.from(context.getImageData(0, 0, 80, 60).data).join();
})()`

const loaded = `document.querySelector('section img')?.naturalWidth > 0`

func TestBrowser(t *testing.T) {
	var broken sync.Map
	s := serve(t, func(o *Options) {
		o.Warning = func() string {
			v, _ := broken.Load("warning")
			text, _ := v.(string)
			return text
		}
	})
	play(t, s)
	b := browser(t)
	page := "http://" + s.Address() + "/"
	b.do(t, chromedp.Navigate(page))
	b.becomes(t, loaded)
	assert.True(t, ask[bool](t, b, `document.getElementById('login').hidden && document.getElementById('warning').hidden`))
	assert.Equal(t, "door,yard", ask[string](t, b, `[...document.querySelectorAll('.name')].map(e => e.textContent).join()`))
	assert.Equal(t, "streaming,lost", ask[string](t, b, `[...document.querySelectorAll('.state')].map(e => e.textContent).join()`))

	assert.Regexp(t, "^lost since ", ask[string](t, b, `[...document.querySelectorAll('.away')].map(e => e.textContent).join('')`))

	picture := fmt.Sprintf(pixels, "section img")
	first := ask[string](t, b, picture)
	for range 3 { // more than one other picture
		b.becomes(t, picture+" !== '"+first+"'")
		first = ask[string](t, b, picture)
	}
	for _, label := range []string{"cat 87 %", "dog 87 %", ""} {
		b.becomes(t, fmt.Sprintf(`document.querySelector('.label')?.textContent === %q`, label))
	}
	b.becomes(t, `document.querySelectorAll('.history li').length > 2`)
	assert.Contains(t, ask[string](t, b, `document.querySelector('.history').innerText`), "nothing sure")
	b.becomes(t, `/^1\d\.\d ms/.test(document.querySelector('.latency').textContent) && /^[12]\d\.\d frames/.test(document.querySelector('.rate').textContent)`)

	// The graph: there is something on it, thin lines may be all of it, and it goes on.
	drawn := fmt.Sprintf(pixels, "section canvas")
	b.becomes(t, "/[1-9]/.test("+drawn+")")
	line := ask[string](t, b, drawn)
	b.becomes(t, drawn+" !== '"+line+"'")

	broken.Store("warning", "the processor is slowed")
	b.becomes(t, `document.getElementById('warning').innerText === 'the processor is slowed'`)

	// Only what is on the screen streams.
	assert.False(t, ask[bool](t, b, `document.querySelectorAll('img')[1].hasAttribute('src')`))
	assert.Len(t, s.slots, 1)
	assert.True(t, ask[bool](t, b, `(scrollTo(0, 1e6), true)`))
	b.becomes(t, `document.querySelectorAll('img')[1].hasAttribute('src')`)
	assert.Empty(t, b.complained())
}

func TestBrowserClients(t *testing.T) {
	s := serve(t, func(o *Options) { o.Cameras = []string{"door"} })
	play(t, s)
	b := browser(t)
	page := "http://" + s.Address() + "/"
	slots := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(s.slots) == n }, 20*time.Second, 20*time.Millisecond, "%d previews are open", len(s.slots))
	}
	b.do(t, chromedp.Navigate("about:blank"))
	first := newTab(t, b)
	first.do(t, chromedp.Navigate(page))
	first.becomes(t, loaded)
	slots(1)
	second := newTab(t, b)
	second.do(t, chromedp.Navigate(page))
	second.becomes(t, loaded)
	slots(2)
	picture := fmt.Sprintf(pixels, "section img")
	for _, one := range []*tab{first, second} {
		before := ask[string](t, one, picture)
		one.becomes(t, picture+" !== '"+before+"'")
	}
	// Behind another tab it leaves its place.
	cover := newTab(t, second, chromedp.WithNewWindow(false))
	second.becomes(t, `document.hidden`)
	slots(1)
	cover.close()
	second.becomes(t, `!document.hidden`)
	slots(2)

	// There is no place for a third; it waits, and gets that of the one who leaves.
	third := newTab(t, b)
	third.do(t, chromedp.Navigate(page))
	third.becomes(t, `document.querySelector('section img')?.dataset.waiting === 'yes'`)
	first.close()
	third.becomes(t, loaded)
	slots(2)
	second.close()
	third.close()
	slots(0)
	assert.Empty(t, first.complained())
	assert.Empty(t, second.complained())
}

func TestBrowserToken(t *testing.T) {
	s := serve(t, func(o *Options) { o.Token = token })
	play(t, s)
	b := browser(t)
	b.do(t, chromedp.Navigate("http://"+s.Address()+"/"))
	b.becomes(t, `!document.getElementById('login').hidden`)
	assert.Equal(t, 0, ask[int](t, b, `document.querySelectorAll('section').length`), "nothing is shown without the token")

	enter := func(text string) chromedp.Action[chromedp.Void] {
		return chromedp.Steps(chromedp.SetValue(chromedp.CSS("#login input"), text), chromedp.Click(chromedp.CSS("#login button")))
	}
	b.do(t, enter("wrong"))
	b.becomes(t, `document.getElementById('note').textContent === 'The token is wrong'`)
	for _, path := range []string{"api/cameras", "api/machine", "preview/door"} {
		status := ask[int](t, b, fmt.Sprintf(`fetch(%q, {headers: {Authorization: 'Bearer wrong'}}).then(a => a.status)`, path))
		assert.Equal(t, 401, status, path)
	}

	b.do(t, enter(token))
	b.becomes(t, loaded)
	assert.True(t, ask[bool](t, b, `document.getElementById('login').hidden && document.getElementById('note').textContent === ''`))
	b.do(t, chromedp.Reload())
	b.becomes(t, loaded) // the cookie stays
	assert.Equal(t, "", ask[string](t, b, `document.cookie`), "scripts cannot read it")
	for _, c := range b.complained() {
		assert.Contains(t, c, "401")
	}
}

// The server ends and comes back at the same address: the page goes on by itself.
func TestBrowserServerRestarts(t *testing.T) {
	s := serve(t, nil)
	play(t, s)
	b := browser(t)
	b.do(t, chromedp.Navigate("http://"+s.Address()+"/"))
	b.becomes(t, loaded)
	require.NoError(t, s.Close())
	b.becomes(t, `document.getElementById('note').textContent === 'No answer'`)
	again := serve(t, func(o *Options) { o.Listen = s.Address() })
	play(t, again)
	b.becomes(t, `document.getElementById('note').textContent === ''`)
	require.Eventually(t, func() bool { return len(again.slots) > 0 }, 20*time.Second, 20*time.Millisecond)
	b.becomes(t, loaded)
}

// The page fits its window, in its colours; -update keeps what it looks like.
func TestBrowserScreenshots(t *testing.T) {
	s := serve(t, func(o *Options) {
		o.Warning = func() string { return "The processor is slowed down: 1.2 of 1.8 GHz at 82 °C" }
	})
	v := s.views["door"]
	for n := range samples - 10 { // most of a minute has passed
		wave := math.Sin(float64(n) / 8)
		v.samples = append(v.samples, sample{14 + 3*wave*math.Cos(float64(n)/3), 20 + 2*wave})
	}
	play(t, s)
	b := browser(t)
	for _, screen := range []struct {
		name          string
		width, height int64
		phone         bool
	}{{"desktop", 1280, 900, false}, {"phone", 390, 844, true}} {
		for colours, paper := range map[string]string{"light": "rgb(243, 245, 247)", "dark": "rgb(20, 23, 26)"} {
			what := screen.name + "-" + colours
			metrics := emulation.SetDeviceMetricsOverrideParams{Width: screen.width, Height: screen.height, DeviceScaleFactor: 1, Mobile: screen.phone}
			media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}}
			b.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride, metrics)
				if err == nil {
					_, err = cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
				}
				return err
			}), chromedp.Navigate("http://"+s.Address()+"/"))
			b.becomes(t, loaded+` && !document.getElementById('warning').hidden && document.querySelectorAll('.history li').length > 3 && document.querySelector('.label')?.textContent !== ''`)
			assert.Equal(t, paper, ask[string](t, b, `getComputedStyle(document.body).backgroundColor`), what)
			assert.Equal(t, int(screen.width), ask[int](t, b, `document.scrollingElement.scrollWidth`), "%s: wider than the window", what)
			for _, e := range []string{".picture", "canvas", ".history", "#warning"} {
				assert.True(t, ask[bool](t, b, fmt.Sprintf(`(r => r.width > 200 && r.height > 20 && r.left >= 0 && r.right <= innerWidth)(document.querySelector(%q).getBoundingClientRect())`, e)), "%s: %s", what, e)
			}
			shot, err := chromedp.Run(b, chromedp.CaptureScreenshot())
			require.NoError(t, err, what)
			img, err := png.Decode(bytes.NewReader(shot))
			require.NoError(t, err, what)
			assert.Equal(t, image.Pt(int(screen.width), int(screen.height)), img.Bounds().Size(), what)
			if *update {
				var small bytes.Buffer
				require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, img))
				require.NoError(t, os.WriteFile(filepath.Join("../../../../docs", "camera-"+what+".png"), small.Bytes(), 0o644))
			}
		}
	}
}
