package engine

import "sort"

const (
	// alignment of tensors in the arena, a cache line.
	alignment = 64
	// slack after the last tensor, so that a vector kernel may load a whole
	// register at a tensor's last byte.
	slack = 64
)

// span is a tensor's place: in time, the steps from which it is written to
// which it is last read; in space, bytes of the arena. A tensor with size 0 has
// no place.
type span struct {
	from, to     int // step indices, inclusive; the input is there from -1
	offset, size int64
}

func (s span) overlaps(t span) bool { return s.from <= t.to && t.from <= s.to }

// lifetimes finds when each node's output is alive. The node of the features
// stays alive to the end.
func (p *Program) lifetimes() []span {
	spans := make([]span, len(p.shapes))
	spans[0] = span{from: -1, to: -1, size: int64(p.shapes[0].Len())}
	for i, s := range p.steps {
		if s.node != none {
			spans[s.node] = span{from: i, to: i, size: int64(p.shapes[s.node].Len())}
		}
		for _, from := range s.inputs {
			spans[from].to = i
		}
	}
	if last := len(p.steps) - 1; last >= 0 {
		spans[p.steps[last].node].size = 0 // logits are not in the arena
		if p.features.stays {
			spans[p.features.node].to = last
		}
	}
	return spans
}

// place gives every span an offset such that no two which are alive at one time
// overlap, and returns the arena's size. The largest go first, each into the
// lowest gap that holds it.
func place(spans []span) int64 {
	order := make([]int, 0, len(spans))
	for i, s := range spans {
		if s.size > 0 {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return spans[order[a]].size > spans[order[b]].size })
	var placed []int // by offset
	var end int64
	for _, i := range order {
		s := &spans[i]
		for _, j := range placed {
			o := spans[j]
			if !s.overlaps(o) {
				continue
			}
			if s.offset+s.size <= o.offset {
				break
			}
			s.offset = max(s.offset, align(o.offset+o.size))
		}
		at := sort.Search(len(placed), func(k int) bool { return spans[placed[k]].offset > s.offset })
		placed = append(placed, 0)
		copy(placed[at+1:], placed[at:])
		placed[at] = i
		end = max(end, align(s.offset+s.size))
	}
	return end + slack
}

func align(n int64) int64 { return (n + alignment - 1) &^ (alignment - 1) }
