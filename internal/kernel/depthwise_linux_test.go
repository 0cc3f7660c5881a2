package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDepthwiseTiles holds every registered kernel that this CPU can run to the
// portable one, over odd geometries, with operands that end and that begin at
// forbidden pages.
func TestDepthwiseTiles(t *testing.T) {
	for _, tile := range depthwiseTiles {
		testDepthwise(t, tile.String(), tile.isa, tile.size, tile.channels, 0, func(d *DepthwiseConv, f *filter, g *guards) {
			require.True(t, tile.fits(&f.g, &f.e))
			d.tile = &tile
			d.pack(f.weight, f.bias)
			d.w, d.p = guardedCopy(g, d.w), guardedCopy(g, d.p)
		})
	}
	for _, tile := range columnsTiles {
		least, most := tile.channels, 0
		if tile.masked {
			least, most = 1, tile.channels-1
		}
		if tile.only != 0 {
			least, most = tile.only, tile.only
		}
		testDepthwise(t, tile.String(), tile.isa, tile.size, least, most, func(d *DepthwiseConv, f *filter, g *guards) {
			require.True(t, d.packColumns([]*columnsTile{&tile}, f.weight, f.bias))
			for i := range d.columns {
				p := &d.columns[i]
				p.w, p.p = guardedCopy(g, p.w), guardedCopy(g, p.p)
			}
		})
	}
}

// testDepthwise tests with least channels and more; most is 0 if there is no
// bound.
func testDepthwise(t *testing.T, name string, isa ISA, size, least, most int, pack func(d *DepthwiseConv, f *filter, g *guards)) {
	t.Run(name, func(t *testing.T) {
		if !supported(isa) {
			t.Skipf("this CPU has %v", ISAs())
		}
		r := rand.New(rand.NewPCG(17, uint64(size)))
		g := newGuards(t)
		check := func(f *filter) {
			g.atStart = !g.atStart
			d := newDepthwiseConv(isa, f.g, f.zero, &f.e)
			pack(d, f, g)
			d.pad = guardedCopy(g, d.pad)
			w := &Workspace{Bytes: guardedAligned(g, d.Needs().Bytes)}
			src, dst := guardedCopy(g, flipped(f.src, isa)), guarded[int8](g, f.g.OutH*f.g.OutW*f.g.OutC)
			d.Run(dst, src, nil, w)
			require.True(t, slices.Equal(f.want(), flipped(dst, isa)), "%+v, activation %d", f.g, f.e.Activation)
			require.True(t, intact(g, dst), "wrote outside of the output: %+v", f.g)
			g.release()
		}
		for extra := range 70 {
			for f := Identity; f <= HardSwish; f++ {
				channels := least + extra
				if most > 0 {
					channels = least + extra%(most-least+1)
				}
				check(randomFilter(r, size, channels, f))
			}
		}
		channels := least + 1
		if most > 0 {
			channels = min(channels, most)
		}
		wide := Geometry{
			InH: 2, InW: 3000, InC: channels, OutH: 2, OutW: 3000, OutC: channels, KernelH: size, KernelW: size,
			StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Top: size / 2, Left: size / 2, Groups: channels,
		}
		check(newFilter(r, wide, HardSwish)) // several calls for a row
		if most > 0 {
			return
		}
		many := wide
		many.InW, many.OutW, many.InC, many.OutC, many.Groups = 3, 3, 30001, 30001, 30001
		check(newFilter(r, many, ReLU6)) // several calls for a pixel
	})
}

// guardedAligned is n bytes from a cache line on, as a Workspace's are.
func guardedAligned(g *guards, n int) []int8 {
	return guarded[int8](g, pad(n, alignment))[:n]
}
