package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// errCheck: a model was made, but it misses what --check asks for.
var errCheck = errors.New("check failed")

// check is one condition on what quantising lost: sqnr>22.
type check struct {
	metric string
	above  bool // the value must be above the limit, not below
	limit  float64
}

// metrics are what a check can ask for, of an int8 model and its float one.
var metrics = map[string]struct {
	value  func(comparison) float64
	labels bool // only known with labels
}{
	"sqnr":        {func(c comparison) float64 { return c.sqnr() }, false},
	"sqnr_logits": {func(c comparison) float64 { return float64(c.Logits) }, false},
	"agreement":   {func(c comparison) float64 { return c.Agreement.Percent }, false},
	"top1_drop":   {func(c comparison) float64 { return *c.Drop }, true},
}

// sqnr is that of the features, or of the logits where there is no embedding.
func (c comparison) sqnr() float64 {
	if c.Embedded {
		return float64(c.Features)
	}
	return float64(c.Logits)
}

// parseChecks reads conditions separated by commas: a metric, < or >, a number.
func parseChecks(text string) ([]check, error) {
	var list []check
	for part := range strings.SplitSeq(text, ",") {
		at := strings.IndexAny(part, "<>")
		if at < 0 {
			return nil, fmt.Errorf("--check: %q is no condition; want for example top1_drop<0.2 or sqnr>22", part)
		}
		c := check{metric: strings.TrimSpace(part[:at]), above: part[at] == '>'}
		if _, known := metrics[c.metric]; !known {
			var names []string
			for n := range metrics {
				names = append(names, n)
			}
			slices.Sort(names)
			return nil, fmt.Errorf("--check: unknown metric %q, want one of %s", c.metric, strings.Join(names, ", "))
		}
		var err error
		if c.limit, err = strconv.ParseFloat(strings.TrimSpace(part[at+1:]), 64); err != nil || math.IsNaN(c.limit) || math.IsInf(c.limit, 0) {
			return nil, fmt.Errorf("--check: %q is no number in %q", strings.TrimSpace(part[at+1:]), part)
		}
		list = append(list, c)
	}
	return list, nil
}

// needLabels reports whether a condition can only be judged with labels.
func needLabels(list []check) bool {
	return slices.ContainsFunc(list, func(c check) bool { return metrics[c.metric].labels })
}

// judge returns an error that wraps errCheck and names every condition missed.
func judge(list []check, c comparison) error {
	var missed []string
	for _, ch := range list {
		sign, v := "<", metrics[ch.metric].value(c)
		ok := v < ch.limit
		if ch.above {
			sign, ok = ">", v > ch.limit
		}
		if !ok {
			missed = append(missed, fmt.Sprintf("%s is %.3g, want %s %g", ch.metric, v, sign, ch.limit))
		}
	}
	if missed == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; nothing was written", errCheck, strings.Join(missed, "; "))
}
