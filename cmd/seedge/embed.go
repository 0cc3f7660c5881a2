package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/dataset"
	"github.com/seedge/seedge/internal/npy"
	"github.com/seedge/seedge/sdk"
)

func (a *app) embedCommand() *cobra.Command {
	var output string
	var threads int
	c := &cobra.Command{
		Use:   "embed MODEL IMAGE|DIR|ZIP... -o features.npy",
		Short: "Turn images into feature vectors",
		Long: `Writes the pooled features before the classifier, one row per image, as a NumPy
array of float32. Rows are in the order of the arguments, and within a folder or
zip in byte order of the files' names; --json prints the names. The vectors are
not normalised.`,
		Example: "  seedge embed default photos.zip -o features.npy\n  python3 -c \"import numpy; print(numpy.load('features.npy').shape)\"",
		Args:    atLeast(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.embed(c.Context(), args[0], args[1:], output, threads)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to write (required)")
	c.Flags().IntVar(&threads, "threads", runtime.GOMAXPROCS(0), "threads: images processed at once, and parts of one image")
	return c
}

func (a *app) embed(ctx context.Context, model string, paths []string, output string, threads int) error {
	if err := checkOutput(output, append([]string{model}, paths...)...); err != nil {
		return err
	}
	m, err := openModel(model, threads)
	if err != nil {
		return err
	}
	defer m.Close()
	width := m.Info().Features
	if width == 0 {
		return fmt.Errorf("%s: %w", model, sdk.ErrNoEmbedding)
	}
	images, err := openGallery(paths)
	if err != nil {
		return err
	}
	defer images.close()
	matrix, err := npy.Create(output, len(images.items), width)
	if err != nil {
		return err
	}
	defer matrix.Discard()
	bar := a.progress()
	defer bar.finish()
	done := 0
	for row, err := range dataset.Map(ctx, images.items, threads, func(_ int, it dataset.Item) ([]float32, error) {
		img, err := it.Decode()
		if err != nil {
			return nil, err
		}
		row, err := m.Embed(ctx, img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Path, err)
		}
		return row, nil
	}) {
		if err != nil {
			return err
		}
		if err := matrix.Write(row); err != nil {
			return err
		}
		done++
		bar.set("embed", done, len(images.items))
	}
	bar.finish()
	if err := matrix.Commit(); err != nil {
		return err
	}
	if !a.json {
		a.printf("%s: %d x %d, float32\n", output, done, width)
		return nil
	}
	names := make([]string, len(images.items))
	for i, it := range images.items {
		names[i] = it.Path
	}
	return a.emit(map[string]any{"output": output, "shape": [2]int{done, width}, "images": names})
}
