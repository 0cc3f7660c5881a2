// Command server runs a Seedge model for ../run.py: for every line with a number
// on standard input, that many inferences from an input that is in place to the
// logits, answered by their times in nanoseconds as a line of JSON.
//
//	server MODEL THREADS
//
// It stands at the end of the online flow (quantised input -> engine -> logits)
// and may import everything.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/seedge/seedge/internal/engine"
	"github.com/seedge/seedge/internal/modelfile"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("arguments are %q, want MODEL THREADS", args)
	}
	threads, err := strconv.Atoi(args[1])
	if err != nil || threads < 1 {
		return fmt.Errorf("%q threads, want a number from 1 up", args[1])
	}
	m, err := modelfile.Read(args[0])
	if err != nil {
		return err
	}
	if m.Quantised == nil {
		return fmt.Errorf("%s is %s, want int8", args[0], m.Precision)
	}
	p, err := engine.Compile(m.Quantised)
	if err != nil {
		return err
	}
	pool := p.NewPool(threads)
	defer pool.Close()
	s := pool.NewSession()
	image := make([]int8, p.Input().Len())
	r := rand.New(rand.NewPCG(1, 2))
	for i := range image {
		image[i] = int8(r.IntN(256) - 128)
	}
	fmt.Println("ready Seedge", p.ISA())

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || n < 0 {
			return fmt.Errorf("%q inferences, want a number", lines.Text())
		}
		times := make([]int64, n)
		for i := range times {
			copy(s.Input(), image)
			before := time.Now()
			s.Run()
			times[i] = time.Since(before).Nanoseconds()
		}
		answer, err := json.Marshal(times)
		if err != nil {
			return err
		}
		fmt.Println(string(answer))
	}
	return lines.Err()
}
