package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// app is what all commands share.
type app struct {
	out  *writer
	errs io.Writer // standard error: progress and notes
	json bool
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := &app{out: &writer{w: stdout}, errs: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	return a.out.failure()
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "seedge",
		Short: "Int8-quantised MobileNetV3 with squeeze-and-excitation on edge devices",
		Long: `Seedge turns trained MobileNetV3 checkpoints into int8 models and runs them on
images and cameras.

MODEL is a file that "seedge import" or "seedge quantise" wrote, or the word
"default" for the int8 model inside this program.`,
		Example: `  seedge classify default photo.jpg
  seedge run default /dev/video0
  seedge import mobilenet_v3_large.pth -o float.safetensors --labels imagenet.txt
  seedge quantise float.safetensors -o int8.safetensors --calibrate photos.zip`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q; see `seedge --help`", args[0])
			}
			return c.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())
	})
	root.AddCommand(a.importCommand(), a.quantiseCommand(), a.inspectCommand(), a.classifyCommand(),
		a.embedCommand(), a.evalCommand(), a.runCommand(), a.benchCommand(), a.firstLabelCommand(), a.camerasCommand(), a.versionCommand())
	return root
}

// exactly demands one argument for each name.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return wrongArgs(c, args)
	}
}

// atLeast demands n arguments or more.
func atLeast(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return wrongArgs(c, args)
	}
}

func wrongArgs(c *cobra.Command, args []string) error {
	return fmt.Errorf("%d arguments do not fit `seedge %s`; see `%s --help`", len(args), c.Use, c.CommandPath())
}
