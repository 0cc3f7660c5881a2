// Package seedge_test holds the tree to its own rules.
package seedge_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/seedge/seedge/"

// allowed lists, for every package, what it may import of ours. Arrows point
// down only: docs/decisions.md says why each is there.
var allowed = map[string][]string{
	"nn":                   {},
	"internal/kernel":      {},
	"internal/atomicfile":  {},
	"internal/safetensors": {"internal/atomicfile"},
	"internal/npy":         {"internal/atomicfile"},
	"internal/preprocess":  {"internal/kernel"},
	"internal/golden":      {}, // of tests only
	"internal/dataset":     {"internal/preprocess"},
	"internal/checkpoint":  {"internal/safetensors"},
	"internal/modelfile":   {"nn", "internal/safetensors", "internal/preprocess"},
	"internal/engine":      {"nn", "internal/kernel"},
	"mobilenetv3":          {"nn", "internal/checkpoint"},
	"bench/synthetic":      {"nn", "mobilenetv3", "quant", "internal/modelfile", "internal/preprocess"},
	"quant":                {"nn", "internal/kernel"},
	"quant/report":         {"nn", "quant"},
	"models":               {},
	"camera":               {"internal/atomicfile"},
	"sdk":                  {"nn", "models", "internal/engine", "internal/modelfile", "internal/preprocess"},
}

// TestImports asks the go command for what is really imported, also by files
// that only build without cgo or with OpenCV.
func TestImports(t *testing.T) {
	for _, cgo := range []string{"0", "1"} {
		cmd := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "./...")
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		out, err := cmd.Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(out)) {
			path, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
			room, ours := strings.CutPrefix(path, module)
			if !ours || strings.HasPrefix(room, "cmd/") || strings.HasPrefix(room, "examples/") || strings.HasPrefix(room, "bench/") || strings.HasPrefix(room, "build/") {
				continue // programs may import everything
			}
			may, known := allowed[room]
			assert.True(t, known, "%s is not in the table of rooms", room)
			for _, i := range strings.Fields(imports) {
				if to, ours := strings.CutPrefix(i, module); ours {
					assert.True(t, slices.Contains(may, to), "%s imports %s", room, to)
				}
				assert.False(t, i == "gocv.io/x/gocv" && room != "camera", "%s imports gocv", room)
			}
		}
	}
}

// TestDoc wants a doc.go in every package, so that a newcomer can ask each room
// what it is for.
func TestDoc(t *testing.T) {
	for room := range allowed {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(filepath.FromSlash(room), "doc.go"), nil, parser.ParseComments)
		if assert.NoError(t, err, room) {
			assert.NotEmpty(t, f.Doc.Text(), room)
		}
	}
}

// TestNoSDKDependsOnCgo: a program that imports sdk alone is one static binary.
func TestNoSDKDependsOnCgo(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./sdk").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), "gocv.io")
	assert.NotContains(t, string(out), module+"camera")
}

// TestLinks follows every relative link of the documentation.
func TestLinks(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "build") {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, part := range strings.Split(string(text), "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			link, _, _ = strings.Cut(link, "#")
			if link == "" || strings.Contains(link, "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(path), link))
			assert.NoError(t, err, "%s links to %s", path, link)
		}
		return nil
	})
	require.NoError(t, err)
}
