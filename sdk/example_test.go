package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"log"
	"time"

	"github.com/seedge/seedge/sdk"
)

// What is in a photograph?
func Example() {
	model, err := sdk.OpenDefault()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	photo, err := sdk.OpenImage("photo.jpg")
	if err != nil {
		log.Fatal(err)
	}
	predictions, err := model.Classify(context.Background(), photo)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range predictions {
		fmt.Printf("%5.1f %%  %s\n", 100*p.Probability, p.Label)
	}
}

// The embedded model needs no file.
func ExampleOpenDefault() {
	model, err := sdk.OpenDefault()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	info := model.Info()
	fmt.Println(info.Name, info.Precision, "with", info.Classes, "classes")
	// Output: mobilenet_v3_large int8 with 10 classes
}

// Errors tell what to do, and errors.Is tells them apart.
func ExampleOpen() {
	model, err := sdk.Open("model.safetensors", sdk.WithTopK(3), sdk.WithSessions(2))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Println("there is no such file")
		return
	case errors.Is(err, sdk.ErrFormat):
		fmt.Println("a checkpoint, perhaps: import it first")
		return
	case errors.Is(err, sdk.ErrVersion):
		fmt.Println("made by a newer Seedge: upgrade")
		return
	case err != nil:
		log.Fatal(err)
	}
	defer model.Close()
	// Output: there is no such file
}

// A loop over frames, ended by its context at the latest. A camera's frames
// come in the same way: model.Stream(ctx, camera.Frames(ctx)).
func ExampleModel_Stream() {
	model, err := sdk.OpenDefault(sdk.WithTopK(1))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	for result, err := range model.Stream(ctx, frames(3)) {
		if err != nil {
			log.Print(err)
			continue
		}
		best := result.Predictions[0]
		fmt.Println("frame", result.Index, "has a label:", best.Label != "")
	}
	// Output:
	// frame 0 has a label: true
	// frame 1 has a label: true
	// frame 2 has a label: true
}

// frames is a source of n grey pictures.
func frames(n int) iter.Seq2[image.Image, error] {
	return func(yield func(image.Image, error) bool) {
		for range n {
			if !yield(image.NewGray(image.Rect(0, 0, 320, 240)), nil) {
				return
			}
		}
	}
}

// Two pictures show alike things if the cosine of their embeddings is near 1.
func ExampleModel_Embed() {
	model, err := sdk.OpenDefault()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	ctx := context.Background()
	a, err := model.Embed(ctx, image.NewGray(image.Rect(0, 0, 100, 100)))
	if err != nil {
		log.Fatal(err)
	}
	// The picture is the same in another size, and so is its embedding.
	b, err := model.Embed(ctx, image.NewGray(image.Rect(0, 0, 640, 480)))
	if err != nil {
		log.Fatal(err)
	}
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	fmt.Println("alike:", dot*dot > 0.99*aa*bb)
	// Output: alike: true
}

// With slices that are used again, a running program allocates nothing.
func ExampleModel_ClassifyInto() {
	model, err := sdk.OpenDefault(sdk.WithTopK(3))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	var predictions []sdk.Prediction
	for img, err := range frames(4) {
		if err != nil {
			log.Fatal(err)
		}
		predictions, err = model.ClassifyInto(context.Background(), img, predictions)
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(len(predictions), "predictions")
	// Output: 3 predictions
}
