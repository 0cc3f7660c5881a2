package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/sdk"
)

// classified is one image's result.
type classified struct {
	Image       string       `json:"image"`
	Predictions []prediction `json:"predictions"`
}

func (a *app) classifyCommand() *cobra.Command {
	var top, threads int
	c := &cobra.Command{
		Use:   "classify MODEL IMAGE...",
		Short: "Say what is in images",
		Long: `Prints the most probable classes of every image with their probabilities. An
IMAGE may also be a folder or a zip: then all its images are meant, in order of
name. JPEG, PNG, GIF, BMP and WebP are read; a JPEG's orientation is respected.`,
		Example: "  seedge classify default photo.jpg\n  seedge classify int8.safetensors a.jpg b.png --top 3 --json",
		Args:    atLeast(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.classify(c.Context(), args[0], args[1:], top, threads)
		},
	}
	c.Flags().IntVar(&top, "top", 5, "classes to print")
	c.Flags().IntVar(&threads, "threads", runtime.GOMAXPROCS(0), "threads: images processed at once, and parts of one image")
	return c
}

func (a *app) classify(ctx context.Context, model string, paths []string, top, threads int) error {
	if top < 1 {
		return fmt.Errorf("--top is %d, want 1 or more", top)
	}
	m, err := openModel(model, threads, sdk.WithTopK(top))
	if err != nil {
		return err
	}
	defer m.Close()
	images, err := openGallery(paths)
	if err != nil {
		return err
	}
	defer images.close()
	bar := a.progress()
	defer bar.finish()
	all := make([]classified, 0, len(images.items))
	for r, err := range dataset.Map(ctx, images.items, threads, func(_ int, it dataset.Item) (classified, error) {
		img, err := it.Decode()
		if err != nil {
			return classified{}, err
		}
		p, err := m.Classify(ctx, img)
		if err != nil {
			return classified{}, fmt.Errorf("%s: %w", it.Path, err)
		}
		return classified{it.Path, predictions(p)}, nil
	}) {
		if err != nil {
			return err
		}
		all = append(all, r)
		bar.set("classify", len(all), len(images.items))
	}
	bar.finish()
	if a.json {
		return a.emit(all)
	}
	return a.printClassified(all)
}

func (a *app) printClassified(all []classified) error {
	for i, r := range all {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s\n", printable(r.Image))
		w := a.table()
		for _, p := range r.Predictions {
			fmt.Fprintf(w, "  %5.1f %%\t%s\n", 100*p.Probability, p.name())
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
