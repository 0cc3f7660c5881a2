package modelfile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

// FuzzParse mends the checksum, so that changed files get past it, and demands
// that what parses can be written, read again, and run.
func FuzzParse(f *testing.F) {
	for _, m := range models(f) {
		b, err := Encode(m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if file, err := safetensors.Parse(bytes.Clone(b)); err == nil && file.Metadata[keyChecksum] != "" {
			file.Metadata[keyChecksum] = checksum(file)
			if b, err = safetensors.Encode(file); err != nil {
				t.Fatal(err)
			}
		}
		try(t, b)
	})
}

// FuzzGraph changes only the description of the network, under arrays that are
// whole: most of what FuzzParse tries breaks the container.
func FuzzGraph(f *testing.F) {
	order := []Precision{Float32, FP16, Int8}
	all := models(f)
	for i, p := range order {
		f.Add(i, container(f, all[p]).Metadata[keyGraph])
	}
	f.Fuzz(func(t *testing.T, i int, graph string) {
		file := container(t, all[order[uint(i)%3]])
		file.Metadata[keyGraph] = strings.ToValidUTF8(graph, "?")
		try(t, sealed(t, file))
	})
}

func try(t *testing.T, b []byte) {
	m, err := Parse(b, "fuzz")
	if err != nil {
		if !known(err) {
			t.Fatalf("an error of no kind: %v", err)
		}
		return
	}
	again, err := Encode(m)
	if err != nil {
		t.Fatalf("read, but cannot be written: %v", err)
	}
	if _, err := Parse(again, "again"); err != nil {
		t.Fatalf("written, but cannot be read: %v", err)
	}
	run(t, m)
}

// run runs networks that are small enough for a fuzzer.
func run(t *testing.T, m *Model) {
	var elements int
	if m.Graph != nil {
		for _, n := range m.Graph.Nodes {
			elements += n.Shape.Len()
		}
	} else {
		for _, n := range m.Quantised.Nodes {
			elements += n.Out.Shape.Len()
		}
	}
	if elements > 1<<16 || m.Cost().MACs > 1<<16 {
		return
	}
	if m.Graph == nil {
		p, err := engine.Compile(m.Quantised)
		if err != nil {
			t.Fatal(err)
		}
		s := p.NewSession()
		if n := len(s.Run()); n != m.Classes() {
			t.Fatalf("%d logits for %d classes", n, m.Classes())
		}
		if shape, _ := m.Features(); m.Quantised.Features != 0 && len(s.Features()) != shape.Len() {
			t.Fatalf("%d features, want %s", len(s.Features()), shape)
		}
		return
	}
	f, err := nn.NewFloat(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Run(make([]float32, m.Input().Len())); err != nil {
		t.Fatal(err)
	}
}
