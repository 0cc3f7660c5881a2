package modelfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seedge/seedge/nn"
)

// The keys of a file's metadata. docs/modelfile.md describes them.
const (
	keyVersion    = "seedge.version"
	keyChecksum   = "seedge.checksum"
	keyName       = "seedge.name"
	keyPrecision  = "seedge.precision"
	keyGraph      = "seedge.graph"
	keyPreprocess = "seedge.preprocess"
	keyLabels     = "seedge.labels"
	keyProvenance = "seedge.provenance"
)

var keys = []string{
	keyVersion, keyChecksum, keyName, keyPrecision, keyGraph, keyPreprocess, keyLabels, keyProvenance,
}

// inputName is node 0's.
const inputName = "input"

// graphJSON is a network without its arrays, of either kind.
type graphJSON struct {
	Input    nn.Shape   `json:"input"`
	Features string     `json:"features"` // the node's name; empty where there is none
	Nodes    []nodeJSON `json:"nodes"`
}

type nodeJSON struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Attributes json.RawMessage `json:"attributes"` // the operation's own fields
	Inputs     []string        `json:"inputs"`     // names of earlier nodes
	Shape      nn.Shape        `json:"shape"`      // of the output
}

// checkKeys demands every key, and no other unless the file is of a newer minor
// version.
func checkKeys(meta map[string]string, extra bool) error {
	for _, k := range keys {
		if _, ok := meta[k]; !ok {
			return fmt.Errorf("the metadata key %q is missing", k)
		}
	}
	if extra {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if !slices.Contains(keys, k) {
			return fmt.Errorf("unknown metadata key %q, want only %s", k, strings.Join(keys, ", "))
		}
	}
	return nil
}
