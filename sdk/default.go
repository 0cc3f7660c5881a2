package sdk

import (
	"fmt"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/models"
)

// OpenDefault opens the model that is embedded in every program that imports
// this package; package models tells what it is.
func OpenDefault(opts ...Option) (*Model, error) {
	file, err := modelfile.Parse(models.Default(), "default")
	if err != nil {
		return nil, fmt.Errorf("sdk: %w", err)
	}
	return newModel(file, opts)
}
