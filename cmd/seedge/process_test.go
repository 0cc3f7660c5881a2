package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitForWork returns when a process has computed for a while: more than it
// takes to start and to read a model.
func waitForWork(t *testing.T, pid int) {
	t.Helper()
	const ticks = 150 // of 10 ms of CPU time
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(t, err, "the process has ended")
		_, rest, _ := strings.Cut(string(b), ") ")
		user, err := strconv.Atoi(strings.Fields(rest)[11])
		require.NoError(t, err)
		if user > ticks {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the process does not work")
}
