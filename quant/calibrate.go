package quant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/seedge/seedge/nn"
)

// ErrNoImages means that there was nothing to calibrate on.
var ErrNoImages = errors.New("no images to calibrate on")

// Images yields network inputs: float32, NHWC, normalised. A slice belongs to
// the receiver once yielded. The sequence is ranged over more than once.
type Images = iter.Seq2[[]float32, error]

// shards is the number of independent sums; image i goes to shard i mod shards.
// Being fixed, it makes the results the same for any number of workers.
const shards = 8

// calibration is what was seen on the calibration images.
type calibration struct {
	images int
	nodes  []*stats            // by node of the folded graph
	parts  [shards][]*stats    // nodes of each shard's images alone
	inner  map[int]inner       // by squeeze-and-excitation node
	kept   map[int][][]float32 // by sampled node and image: [positions][C]
}

// inner holds the largest magnitudes inside a squeeze-and-excitation.
type inner struct{ squeezed, reduced float32 }

func newCalibration(g *nn.Graph) *calibration {
	c := &calibration{inner: map[int]inner{}, kept: map[int][][]float32{}}
	for _, n := range g.Nodes {
		c.nodes = append(c.nodes, newStats(n.Shape.C))
	}
	return c
}

func (c *calibration) observe(g *nn.Graph, f *nn.Float, i int, keep sampler, held int) {
	c.images++
	for id, n := range keep.quota {
		t := f.Output(id)
		c.kept[id] = append(c.kept[id], pick(t, keep.positions(i, n, t.H*t.W)))
	}
	for id, n := range g.Nodes {
		c.nodes[id].observe(f.Output(id), i < held)
		if se, ok := n.Op.(*nn.SqueezeExcite); ok {
			squeezed, reduced := se.Excite(f.Output(n.Inputs[0]))
			seen := c.inner[id]
			for _, v := range squeezed {
				seen.squeezed = max(seen.squeezed, v, -v)
			}
			for _, v := range reduced {
				seen.reduced = max(seen.reduced, v, -v)
			}
			c.inner[id] = seen
		}
	}
}

func (c *calibration) merge(o *calibration) {
	c.images += o.images
	for id, s := range c.nodes {
		s.merge(o.nodes[id])
	}
	for id, seen := range o.inner {
		mine := c.inner[id]
		c.inner[id] = inner{max(mine.squeezed, seen.squeezed), max(mine.reduced, seen.reduced)}
	}
}

// calibrate runs the folded graph on every image and keeps statistics, and of the
// activations what keep says. The first held images are to go through the
// quantised path.
func calibrate(ctx context.Context, g *nn.Graph, keep sampler, held int, images Images, opts Options) (*calibration, error) {
	parts := make([]*calibration, shards)
	for i := range parts {
		parts[i] = newCalibration(g)
	}
	err := eachImage(ctx, g, images, opts, "calibrate", func(i int, f *nn.Float) error {
		parts[i%shards].observe(g, f, i, keep, held)
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum := newCalibration(g)
	for i, p := range parts {
		sum.merge(p)
		sum.parts[i] = p.nodes
	}
	for id := range keep.quota {
		sum.kept[id] = make([][]float32, sum.images)
		for i := range sum.images {
			sum.kept[id][i] = parts[i%shards].kept[id][i/shards]
		}
	}
	if sum.images == 0 {
		return nil, fmt.Errorf("quantise: %w", ErrNoImages)
	}
	for id, s := range sum.nodes {
		for k := range s.min {
			if lo, hi := s.min[k], s.max[k]; lo-lo != 0 || hi-hi != 0 || s.energy[k]-s.energy[k] != 0 {
				return nil, fmt.Errorf("quantise: %s: channel %d is not finite on the calibration images; the weights or the preprocessing are wrong", g.Nodes[id].Name, k)
			}
		}
	}
	if opts.Ranges == Percentile && opts.Percentile < 100 {
		err = sum.clip(ctx, g, images, opts)
	}
	return sum, err
}

// keepOnly lets go of the samples that are no layer's own outputs: the ranges that
// they were for are chosen.
func (c *calibration) keepOnly(g *nn.Graph) {
	for id := range c.kept {
		if taps(g.Nodes[id].Op) == 0 {
			delete(c.kept, id)
		}
	}
}

// clip looks at the images once more, for the percentiles.
func (c *calibration) clip(ctx context.Context, g *nn.Graph, images Images, opts Options) error {
	var lock sync.Mutex // counts are integers, the same in any order
	err := eachImage(ctx, g, images, opts, "histograms", func(_ int, f *nn.Float) error {
		lock.Lock()
		defer lock.Unlock()
		for id := range g.Nodes {
			c.nodes[id].fill(f.Output(id))
		}
		return nil
	})
	for _, s := range c.nodes {
		s.clip(opts.Percentile)
	}
	return err
}

// eachImage runs the float graph on every image and calls fn with the image's
// index while its activations are in f. Images of one shard are taken in order
// by one worker, so fn needs no lock for what it keeps per shard.
func eachImage(ctx context.Context, g *nn.Graph, images Images, opts Options, stage string, fn func(i int, f *nn.Float) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct {
		i     int
		image []float32
	}
	workers := min(opts.workers(), shards)
	queues := make([]chan job, workers)
	var wg sync.WaitGroup
	var progress sync.Mutex
	done := 0
	for w := range queues {
		queues[w] = make(chan job, 1)
		f, err := nn.NewFloat(g)
		if err != nil {
			return err
		}
		wg.Go(func() {
			for j := range queues[w] {
				if ctx.Err() != nil {
					continue
				}
				if _, err := f.Run(j.image); err != nil {
					cancel(fmt.Errorf("quantise: image %d: %w", j.i, err))
					continue
				}
				if err := fn(j.i, f); err != nil {
					cancel(err)
				}
				progress.Lock()
				done++
				opts.progress(stage, done, opts.Images)
				progress.Unlock()
			}
		})
	}
	i := 0
	for image, err := range images {
		if err != nil {
			cancel(fmt.Errorf("quantise: image %d: %w", i, err))
		}
		if ctx.Err() != nil {
			break
		}
		queues[i%shards%workers] <- job{i, image}
		i++
	}
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
	return context.Cause(ctx)
}
