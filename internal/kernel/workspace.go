package kernel

import "unsafe"

// WorkspaceSize counts the elements of a Workspace.
type WorkspaceSize struct {
	Acc, Bytes int
}

// Grow makes s large enough for t as well.
func (s *WorkspaceSize) Grow(t WorkspaceSize) {
	s.Acc = max(s.Acc, t.Acc)
	s.Bytes = max(s.Bytes, t.Bytes)
}

// Workspace is the memory that kernels work in. It is not safe for concurrent
// use. Nothing in it outlives a call.
type Workspace struct {
	Acc   []int32
	Bytes []int8 // from a 64-byte boundary on

	gemm      gemmArgs
	depthwise depthwiseArgs
	columns   columnsArgs
	squeeze   squeezeArgs
	together  together
	tail      [squeezeChannels]int32
	rows      [maxSize]unsafe.Pointer // of a depthwise kernel's taps
}

// NewWorkspace allocates.
func NewWorkspace(s WorkspaceSize) *Workspace {
	return &Workspace{Acc: make([]int32, s.Acc), Bytes: aligned(s.Bytes)}
}
