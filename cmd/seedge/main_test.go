package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// actAsSeedge in the environment makes the test binary be the program: real
// processes with exit statuses and signals, built with the tests' own tags.
const actAsSeedge = "SEEDGE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(actAsSeedge) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program prepares a run of seedge in a working directory.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), actAsSeedge+"=1")
	return cmd
}

// seedge runs a command in this process and demands success.
func seedge(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, errs, err := command(t, dir, args...)
	require.NoError(t, err, "seedge %v: %s", args, errs)
	return out
}

// command runs a command in this process.
func command(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	err = execute(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), err
}

// runSeedge runs the program in a process of its own.
func runSeedge(t *testing.T, dir string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return finish(t, program(t, dir, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "%v", err)
		status = exit.ExitCode()
	}
	return out.String(), errs.String(), status
}

// fails runs the program and demands what every failure promises: exit status
// 1, nothing on standard output, one line on standard error that says what is
// wrong, and a working directory that is as it was.
func fails(t *testing.T, dir string, wants []string, args ...string) {
	t.Helper()
	before := tree(t, dir)
	out, errs, status := runSeedge(t, dir, args...)
	assertFailure(t, out, errs, status, wants)
	assert.Equal(t, before, tree(t, dir), "seedge %v left something behind", args)
}

// refuses is fails without a process, for long tables: main makes exit status 1
// and the one line of every error alike.
func refuses(t *testing.T, dir string, wants []string, args ...string) {
	t.Helper()
	before := tree(t, dir)
	out, errs, err := command(t, dir, args...)
	require.Error(t, err)
	assert.Empty(t, out)
	assert.Empty(t, errs)
	for _, w := range wants {
		assert.Contains(t, describe(t.Context(), err), w)
	}
	assert.Equal(t, before, tree(t, dir), "seedge %v left something behind", args)
}

func assertFailure(t *testing.T, out, errs string, status int, wants []string) {
	t.Helper()
	assert.Equal(t, 1, status)
	assert.Empty(t, out)
	assert.Regexp(t, `^seedge: [^\n]+\n$`, errs)
	for _, w := range wants {
		assert.Contains(t, errs, w)
	}
}

// tree is every file below dir with its content's hash.
func tree(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	files := map[string][32]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = sha256.Sum256(b)
		return err
	}))
	return files
}

// asJSON parses the program's standard output.
func asJSON[T any](t *testing.T, out string) (v T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(out))
	require.NoError(t, dec.Decode(&v), out)
	require.False(t, dec.More(), "more than one document")
	return v
}
