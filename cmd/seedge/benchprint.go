package main

import (
	"cmp"
	"fmt"
	"slices"
)

func (a *app) printBenchmark(b benchmark) error {
	m := b.Machine
	a.printf("%s, %s, %s MACs\n", printable(b.Model), b.Input, thousands(b.MACs))
	a.printf("%s%d CPUs, %s, %s\n\n", prefixed(m.CPU, ", "), m.CPUs, m.Platform, m.Go)
	w := a.table()
	fmt.Fprintln(w, "isa\tthreads\tmin ms\tmedian\tp99\tGMAC/s\tallocations\tarena\tweights")
	for _, c := range b.Configurations {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.1f\t%.0f\t%s\t%s\n", c.ISA, c.Threads, c.Min, c.Median, c.P99, c.GMACs,
			c.Allocations, mebibytes(int64(c.ArenaBytes)), mebibytes(int64(c.WeightBytes)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range b.Configurations {
		if seen[c.ISA] {
			continue
		}
		seen[c.ISA] = true
		if err := a.printSteps(c); err != nil {
			return err
		}
	}
	p := b.Preprocess
	a.printf("\npreprocessing   %s: min %.3f ms, median %.3f ms, p99 %.3f ms, %.0f allocations, one thread\n",
		p.Source, p.Min, p.Median, p.P99, p.Allocations)
	if s := b.ColdStart; s != nil {
		peak := "peak memory unknown here"
		if s.PeakResident > 0 {
			peak = "peak resident memory " + mebibytes(s.PeakResident)
		}
		a.printf("cold start      to the first label: min %.1f ms, median %.1f ms of %d; %s\n", s.Min, s.Median, s.Starts, peak)
	}
	return nil
}

// printSteps lists the steps of one configuration, and sums by kernel.
func (a *app) printSteps(c *configuration) error {
	s := ""
	if c.Threads != 1 {
		s = "s"
	}
	a.printf("\nSteps, %s, %d thread%s:\n", c.ISA, c.Threads, s)
	w := a.table()
	fmt.Fprintln(w, "step\tkernel\toutput\tMACs\tµs\tGMAC/s\tshare")
	type sum struct {
		kernel string
		macs   int64
		ms     float64
		share  float64
	}
	var sums []sum
	for _, s := range c.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\t%.1f\t%.1f %%\n", printable(s.Name), s.Kernel, s.Output, thousands(s.MACs), 1e3*s.Min, s.GMACs, 100*s.Share)
		i := slices.IndexFunc(sums, func(of sum) bool { return of.kernel == s.Kernel })
		if i < 0 {
			i = len(sums)
			sums = append(sums, sum{kernel: s.Kernel})
		}
		sums[i].macs += s.MACs
		sums[i].ms += s.Min
		sums[i].share += s.Share
	}
	slices.SortStableFunc(sums, func(x, y sum) int { return cmp.Compare(y.ms, x.ms) })
	for _, s := range sums {
		fmt.Fprintf(w, "all\t%s\t\t%s\t%.1f\t%.1f\t%.1f %%\n", s.kernel, thousands(s.macs), 1e3*s.ms, gmacs(s.macs, s.ms), 100*s.share)
	}
	return w.Flush()
}

func prefixed(s, after string) string {
	if s == "" {
		return ""
	}
	return printable(s) + after
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
