package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/seedge/seedge/sdk"
)

// A profile adds up where the time of results went.
type profile struct {
	frames    int
	stages    sdk.Stages
	latencies []time.Duration // of the first keepLatencies
	warm      runtime.MemStats
}

const (
	warmUp        = 20 // frames until all buffers have their size
	keepLatencies = 1 << 16
)

func (p *profile) add(r sdk.Result) {
	if p.latencies == nil {
		p.latencies = make([]time.Duration, 0, keepLatencies)
	}
	p.frames++
	s, t := &p.stages, r.Stages
	s.Source += t.Source
	s.Copy += t.Copy
	s.Preprocess += t.Preprocess
	s.Queue += t.Queue
	s.Inference += t.Inference
	if len(p.latencies) < keepLatencies {
		p.latencies = append(p.latencies, r.Latency)
	}
	if p.frames == warmUp {
		runtime.ReadMemStats(&p.warm)
	}
}

// profiled is a profile for people and JSON. Times are milliseconds for each
// frame.
type profiled struct {
	Frames  int            `json:"frames"`
	FPS     float64        `json:"fps"`
	Source  float64        `json:"waiting_for_source"` // overlaps the others
	Stages  []profileStage `json:"stages"`
	Latency struct {
		Mean float64 `json:"mean"`
		P95  float64 `json:"p95"`
		Max  float64 `json:"max"`
	} `json:"latency"` // from capture to label
	Allocations *float64 `json:"allocations_per_frame"` // null: too few frames to say
}

type profileStage struct {
	Name   string  `json:"name"`
	Millis float64 `json:"milliseconds"`
	Share  float64 `json:"share"` // of all stages, 0 to 1
}

func (p *profile) sum(fps float64) (out profiled) {
	out.Frames, out.FPS = p.frames, fps
	if p.frames == 0 {
		return out
	}
	if n := p.frames - warmUp; n >= warmUp {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		a := float64(now.Mallocs-p.warm.Mallocs) / float64(n)
		out.Allocations = &a
	}
	mean := func(d time.Duration) float64 { return milliseconds(d / time.Duration(p.frames)) }
	s := p.stages
	total := s.Copy + s.Preprocess + s.Queue + s.Inference
	for _, st := range []struct {
		name string
		d    time.Duration
	}{{"copy", s.Copy}, {"preprocess", s.Preprocess}, {"queue", s.Queue}, {"inference", s.Inference}} {
		out.Stages = append(out.Stages, profileStage{st.name, mean(st.d), float64(st.d) / float64(total)})
	}
	out.Source = mean(s.Source)
	var sum time.Duration
	for _, l := range p.latencies {
		sum += l
	}
	n := len(p.latencies)
	out.Latency.Mean = milliseconds(sum / time.Duration(n))
	slices.Sort(p.latencies)
	out.Latency.P95 = milliseconds(p.latencies[n*95/100])
	out.Latency.Max = milliseconds(p.latencies[n-1])
	return out
}

func (a *app) printProfile(p profiled) error {
	if a.json {
		return a.emit(p)
	}
	a.printf("%d frames, %.1f frames/s\n", p.Frames, p.FPS)
	if p.Frames == 0 {
		return nil
	}
	t := a.table()
	for _, s := range p.Stages {
		fmt.Fprintf(t, "  %s\t%8.3f ms\t%5.1f %%\n", s.Name, s.Millis, 100*s.Share)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	a.printf("waiting for the source: %.3f ms a frame, while others are worked on\n", p.Source)
	a.printf("capture to label: %.3f ms, 95 %% below %.3f ms, at most %.3f ms\n", p.Latency.Mean, p.Latency.P95, p.Latency.Max)
	if p.Allocations == nil {
		a.printf("allocations: %d frames are too few to say\n", p.Frames)
	} else {
		a.printf("allocations: %.2f a frame\n", *p.Allocations)
	}
	return nil
}
