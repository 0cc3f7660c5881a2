// Package atomicfile writes files that appear whole or not at all.
//
// Everything that the command line writes goes to a temporary name in the same
// folder, is flushed to the disk and then takes its name in one step, so that a
// full disk, an error or Ctrl-C leaves what was there before. It serves the end
// of the offline flow and of the commands that store results. It imports
// nothing of ours.
package atomicfile
