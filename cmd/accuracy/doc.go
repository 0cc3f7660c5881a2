// Command accuracy measures what quantising the default model costs, and what
// each step of the quantiser gives back, and writes the table of
// docs/accuracy.md:
//
//	go run ./cmd/accuracy -calibrate cifar10-train.zip -test cifar10-test.zip -o docs/accuracy.md
//
// Images lie in folders named by class. It may import everything but camera.
package main
