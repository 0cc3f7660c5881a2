// Classify prints what the embedded network sees in images.
//
//	go run ./examples/classify cat.jpg dog.png
//
// It needs no cgo: CGO_ENABLED=0 GOARCH=arm64 go build ./examples/classify gives
// one static binary for a Raspberry Pi.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"

	"github.com/seedge/seedge/sdk"
)

func main() {
	log.SetFlags(0)
	path := flag.String("model", "default", "model file")
	top := flag.Int("top", 3, "how many labels to print")
	raw := flag.Bool("logits", false, "print the bits of every logit, which are the same on every machine")
	flag.Parse()

	model, err := sdk.Open(*path, sdk.WithTopK(*top))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	for _, name := range flag.Args() {
		img, err := sdk.OpenImage(name)
		if err != nil {
			log.Fatal(err)
		}
		if *raw {
			logits, err := model.Logits(context.Background(), img)
			if err != nil {
				log.Fatal(err)
			}
			for _, v := range logits {
				fmt.Printf("%08x ", math.Float32bits(v))
			}
			fmt.Println(name)
			continue
		}
		predictions, err := model.Classify(context.Background(), img)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name)
		for _, p := range predictions {
			fmt.Printf("  %5.1f %%  %s\n", 100*p.Probability, p.Label)
		}
	}
}
