// Demo shows the whole path on real input: frames of videos and photographs
// through OpenCV, the embedded int8 network, labels. It prints what it measured
// and draws a contact sheet.
//
//	demo -o demo.png clip.avi photo.jpg ...
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seedge/seedge/camera"
	"github.com/seedge/seedge/sdk"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "demo.png", "contact sheet to write")
	path := flag.String("model", "default", "model file")
	limit := flag.Int("frames", 120, "frames to label of each source")
	flag.Parse()
	if flag.NArg() == 0 {
		log.Fatal("usage: demo [-o demo.png] [-model FILE] [-frames N] SOURCE...")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args(), *path, *out, *limit); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, sources []string, path, out string, limit int) error {
	model, err := sdk.Open(path)
	if err != nil {
		return err
	}
	defer model.Close()
	info := model.Info()
	fmt.Printf("%s, %s, input %dx%d, labels: %v\nanything that is none of these gets the nearest\n\n", info.Name, info.Precision, info.Width, info.Height, info.Labels)

	var sheet sheet
	for _, source := range sources {
		if err := label(ctx, model, source, limit, &sheet); err != nil {
			return err
		}
	}
	if err := sheet.write(out); err != nil {
		return err
	}
	fmt.Printf("\nthe frames and their labels: %s\n", out)
	return nil
}

// label classifies the frames of one source and puts a few on the sheet.
func label(ctx context.Context, model *sdk.Model, source string, limit int, s *sheet) error {
	cam, err := camera.Open(ctx, source)
	if err != nil {
		return err
	}
	defer cam.Close()
	var n int
	var inference time.Duration
	seen := map[string]int{}
	for frame, err := range cam.Frames(ctx) {
		if err != nil {
			return err
		}
		began := time.Now()
		predictions, err := model.Classify(ctx, frame)
		if err != nil {
			return err
		}
		inference += time.Since(began)
		best := predictions[0]
		seen[best.Label]++
		if n%(limit/8+1) == 0 {
			s.add(frame, fmt.Sprintf("%s %.0f%%", best.Label, 100*best.Probability))
		}
		if n++; n == limit {
			break
		}
	}
	if n == 0 {
		return fmt.Errorf("%s: no frames", source)
	}
	fmt.Printf("%-20s %4d frames, %6.2f ms each: %s\n", filepath.Base(source), n, inference.Seconds()*1000/float64(n), counts(seen))
	return nil
}

// counts lists the labels, the most frequent first.
func counts(seen map[string]int) string {
	labels := slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		return cmp.Or(cmp.Compare(seen[b], seen[a]), cmp.Compare(a, b))
	})
	for i, l := range labels {
		labels[i] = fmt.Sprintf("%s %d", l, seen[l])
	}
	return strings.Join(labels, ", ")
}
