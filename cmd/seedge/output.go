package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/seedge/seedge/internal/atomicfile"
)

// writer remembers the first error, so that results lost on a full disk or a
// closed pipe make the command fail without a check after every line.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}

func (w *writer) failure() error {
	if w.err != nil {
		return fmt.Errorf("writing the results: %w", w.err)
	}
	return nil
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// notef writes to standard error what is good to know but no result.
func (a *app) notef(format string, args ...any) { fmt.Fprintf(a.errs, format+"\n", args...) }

// emit prints v as one JSON document.
func (a *app) emit(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// emitLine prints v as one line of JSON.
func (a *app) emitLine(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table aligns columns that are separated by tabs.
func (a *app) table() *tabwriter.Writer { return tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) }

// checkOutput finds out now, not after minutes of work, that path cannot be
// written, or that it would replace one of the inputs.
func checkOutput(path string, inputs ...string) error {
	if path == "" {
		return fmt.Errorf("no output file; give one with -o")
	}
	if out, err := os.Stat(path); err == nil {
		for _, in := range inputs {
			if st, err := os.Stat(in); err == nil && os.SameFile(st, out) {
				return fmt.Errorf("the output %s is the input %s; choose another name", path, in)
			}
		}
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	f.Discard()
	return nil
}

// thousands writes 5483032 as 5,483,032.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
