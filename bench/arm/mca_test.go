package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const assembly = `// Code generated

TEXT ·outer(SB), NOSPLIT, $0-8
	MOVD args+0(FP), R20
	WORD $0x00000000                     // 000: mov x1, x2
	WORD $0x00000000                     // 004: sdot v0.4s, v1.16b, v2.16b
	WORD $0x00000000                     // 008: b.eq 0x114 <outer+0x14>
	WORD $0x00000000                     // 00c: smull v0.8h, v1.8b, v2.8b
	WORD $0x00000000                     // 010: b.ne 0x104 <outer+0x4>
	WORD $0x00000000                     // 014: b.ne 0x100 <outer>
	RET

TEXT ·straight(SB), NOSPLIT, $0-8
	WORD $0x00000000                     // 000: smlal v0.4s, v1.4h, v2.4h
	RET
`

func TestInnerLoop(t *testing.T) {
	list := kernels(assembly)
	require.Len(t, list, 2)
	assert.Equal(t, "outer", list[0].name)
	require.Len(t, list[0].code, 6)
	loop, found := list[0].innerLoop()
	require.True(t, found)
	assert.Equal(t, list[0].code[1:5], loop)
	assert.Equal(t, 16+8, macs(loop))
	_, found = list[1].innerLoop()
	assert.False(t, found)
	assert.Equal(t, 4, macs(list[1].code))
}
