package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/nn"
)

// enoughImages is how many images calibration should have. With fewer, the ranges
// of many channels have not been seen.
const enoughImages = 32

// look is what the calibration images are checked for.
type look struct {
	sum      [sha256.Size]byte
	uniform  bool // nearly one colour
	grey     bool
	smallest int // shorter side, px
}

// flatness is the standard deviation of brightness, in levels, below which an
// image is nearly uniform.
const flatness = 2

func lookAt(it dataset.Item) (look, error) {
	b, err := it.Bytes()
	if err != nil {
		return look{}, err
	}
	img, err := it.Decode()
	if err != nil {
		return look{}, err
	}
	l := look{sum: sha256.Sum256(b), grey: true}
	r := img.Bounds()
	l.smallest = min(r.Dx(), r.Dy())
	var sum, square float64
	const grid = 32 // pixels looked at on each side
	for y := range grid {
		for x := range grid {
			p := image.Pt(r.Min.X+(2*x+1)*r.Dx()/(2*grid), r.Min.Y+(2*y+1)*r.Dy()/(2*grid))
			red, green, blue, _ := img.At(p.X, p.Y).RGBA()
			l.grey = l.grey && red == green && green == blue
			v := (0.299*float64(red) + 0.587*float64(green) + 0.114*float64(blue)) / 257
			sum += v / (grid * grid)
			square += v * v / (grid * grid)
		}
	}
	l.uniform = math.Sqrt(max(square-sum*sum, 0)) < flatness
	return l, nil
}

// hygienic reads every image and returns what is doubtful about those to
// calibrate on. It leaves out copies of another's bytes, also from those kept apart. An
// unreadable image is an error.
func hygienic(ctx context.Context, items, held []dataset.Item, input nn.Shape, threads int, bar *progress) (calibrate, apart []dataset.Item, notes []string, err error) {
	notef := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	all := slices.Concat(items, held)
	seen := map[[sha256.Size]byte]bool{}
	var copies, uniform, grey, small, n int
	var example string
	for l, err := range dataset.Map(ctx, all, threads, func(_ int, it dataset.Item) (look, error) { return lookAt(it) }) {
		if err != nil {
			return nil, nil, nil, err
		}
		it := all[n]
		n++
		bar.set("check images", n, len(all))
		switch {
		case seen[l.sum]:
			copies++
			continue
		case n > len(items):
			apart = append(apart, it)
			seen[l.sum] = true
			continue
		}
		seen[l.sum] = true
		calibrate = append(calibrate, it)
		if l.uniform {
			uniform++
			example = it.Path
		}
		if l.grey {
			grey++
		}
		if l.smallest < min(input.H, input.W) {
			small++
		}
	}
	of := len(calibrate)
	if copies > 0 {
		notef("note: %d of %d images are copies of others and were left out", copies, n)
	}
	if uniform > 0 {
		notef("warning: %d of %d images are nearly of one colour, for example %s; they say little about what the network will see", uniform, of, example)
	}
	if grey == of {
		notef("warning: all images are grey; if the network will see colour, calibrate on colour")
	} else if grey > of/2 {
		notef("note: %d of %d images are grey", grey, of)
	}
	if small > of/2 {
		notef("note: %d of %d images are smaller than the network's input of %dx%d and are enlarged", small, of, input.W, input.H)
	}
	if of < enoughImages {
		notef("warning: %d calibration images are few: values beyond what they show will be clipped, and weights are refitted less; a few hundred give several dB more", of)
	}
	return calibrate, apart, notes, nil
}

// splitImages divides images into those to calibrate on and, evenly spaced
// between them, those kept apart; never the same ones for both.
func splitImages(items []dataset.Item, apart int) (calibrate, held []dataset.Item) {
	held = dataset.Sample(items, apart)
	if apart < 1 {
		return items, nil
	}
	next := 0
	for _, it := range items {
		if next < len(held) && held[next].Name == it.Name {
			next++
			continue
		}
		calibrate = append(calibrate, it)
	}
	return calibrate, held
}
