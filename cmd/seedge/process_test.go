package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitForFile returns when a process has opened a file.
func waitForFile(t *testing.T, pid int, path string) {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		list, err := os.ReadDir(fds)
		require.NoError(t, err, "the process has ended")
		for _, fd := range list {
			if to, _ := os.Readlink(filepath.Join(fds, fd.Name())); to == path {
				return
			}
		}
	}
	t.Fatalf("the process does not open %s", path)
}
