package main

import (
	"github.com/seedge/seedge/internal/dataset"
)

// gallery is the images of several arguments: each folder and zip in order of
// name, one after the other.
type gallery struct {
	items       []dataset.Item
	collections []*dataset.Collection
}

func openGallery(paths []string) (*gallery, error) {
	g := &gallery{}
	for _, p := range paths {
		c, err := dataset.Open(p)
		if err != nil {
			g.close()
			return nil, err
		}
		g.collections = append(g.collections, c)
		g.items = append(g.items, c.Items()...)
	}
	return g, nil
}

func (g *gallery) close() {
	for _, c := range g.collections {
		_ = c.Close() // only read from
	}
}
