package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/seedge/seedge/quant"
)

type row struct {
	name string
	result
}

const preamble = `# Accuracy

What quantising the default model costs, and what each step of the quantiser gives back. Written by ` + "`make accuracy`" + `; not
to be edited by hand.

MobileNetV3-Large on CIFAR-10 at %d px: calibrated on %d training images, measured on %d test images. Top-1 with its 95 %%
interval (Wilson); agreement with the float network's first class; SQNR is the ratio of signal to quantisation noise
against float32, of the 960 pooled features and of the logits. Each row from "+" on is the one above and one step more.

| | top-1 | 95 %% | agreement | features | logits |
|---|---|---|---|---|---|
`

// table is the whole of docs/accuracy.md.
func table(rows []row, calibrated int) string {
	var b strings.Builder
	fmt.Fprintf(&b, preamble, side, calibrated, rows[0].n)
	for _, r := range rows {
		low, high := quant.Wilson(r.correct, r.n)
		logits := "-"
		if db := r.logits.DB(); !math.IsNaN(db) && !math.IsInf(db, 0) {
			logits = fmt.Sprintf("%.2f dB", db)
		}
		fmt.Fprintf(&b, "| %s | %.2f %% | %.2f to %.2f | %.2f %% | %s | %s |\n",
			r.name, r.percent(), low, high, 100*float64(r.agree)/float64(r.n), r.decibels(), logits)
	}
	b.WriteString("\nWhat the steps are: [decisions.md](decisions.md); `quant/` holds each in a file of its own.\n")
	return b.String()
}

func readLabels(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var labels []string
	for s := bufio.NewScanner(f); s.Scan(); {
		labels = append(labels, s.Text())
	}
	if len(labels) < 2 {
		return nil, fmt.Errorf("%s has %d lines, want a label on each of at least 2", path, len(labels))
	}
	return labels, nil
}
