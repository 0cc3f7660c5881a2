package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C ends the command in order; a second one kills it.
	context.AfterFunc(ctx, stop)
	if err := execute(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "seedge: "+describe(ctx, err))
		os.Exit(1)
	}
}

// describe puts an error on one line. Some errors list several findings, one a
// line; scripts and logs want them on one.
func describe(ctx context.Context, err error) string {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return "interrupted"
	}
	lines := strings.Split(err.Error(), "\n")
	text := strings.TrimSpace(lines[0])
	for i, l := range lines[1:] {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		if i > 0 {
			text += ";"
		}
		text += " " + l
	}
	return printable(text)
}
