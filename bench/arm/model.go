package main

import (
	"context"

	"github.com/seedge/seedge/bench/synthetic"
	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/mobilenetv3"
)

// makeModel writes the network that is counted. How many instructions an
// inference takes does not depend on the weights, so they are random.
func makeModel(path string) error {
	m, err := synthetic.Int8(context.Background(), mobilenetv3.Default(mobilenetv3.Large), 1)
	if err != nil {
		return err
	}
	return modelfile.Write(path, m)
}
