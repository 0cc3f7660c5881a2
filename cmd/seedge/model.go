package main

import (
	"fmt"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/models"
	"github.com/seedge/seedge/sdk"
)

// defaultModel is the word for the embedded model.
const defaultModel = "default"

// readModel reads a model to look into it; sdk.Open reads one to run it.
func readModel(path string) (*modelfile.Model, error) {
	if path == defaultModel {
		return modelfile.Parse(models.Default(), defaultModel)
	}
	return modelfile.Read(path)
}

// openModel opens a model for threads threads: as many images at once, or one
// image on all of them.
func openModel(path string, threads int, opts ...sdk.Option) (*sdk.Model, error) {
	if err := checkThreads(threads); err != nil {
		return nil, err
	}
	return sdk.Open(path, append([]sdk.Option{sdk.WithSessions(threads), sdk.WithThreads(threads)}, opts...)...)
}

// prediction is one class in JSON.
type prediction struct {
	Label       string  `json:"label"`
	Index       int     `json:"index"`
	Probability float32 `json:"probability"`
}

func predictions(from []sdk.Prediction) []prediction {
	out := make([]prediction, len(from))
	for i, p := range from {
		out[i] = prediction{p.Label, p.Index, p.Probability}
	}
	return out
}

// name is the label, or the class number of a model without labels.
func (p prediction) name() string {
	if p.Label == "" {
		return fmt.Sprintf("class %d", p.Index)
	}
	return printable(p.Label)
}
