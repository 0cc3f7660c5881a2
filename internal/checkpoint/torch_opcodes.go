package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Limits of one pickle. A state dict takes some 150 bytes and 8 containers for
// each tensor, so both leave room for fifty thousand tensors, and together they
// hold the interpreter below a few hundred megabytes whatever it is fed.
const (
	maxPickle     = 8 << 20
	maxContainers = 1 << 19
)

// argKind says what follows an opcode in the stream.
type argKind byte

const (
	refused argKind = iota
	none
	fixed1
	fixed2
	fixed4
	fixed8
	counted1 // a length of one byte, then so many bytes
	counted4
	counted8
	twoLines // module and name, each ended by a newline
)

// opcode is how one pickle opcode is checked.
type opcode struct {
	arg       argKind
	container bool // the interpreter takes memory for it
}

// opcodes lists what torch.save writes with pickle protocols 2 to 5. All others
// (text-mode numbers, extensions, out-of-band buffers, byte arrays, classes
// instantiated by INST and OBJ) have no place in a state dict.
var opcodes = [256]opcode{
	0x80: {arg: fixed1},                // PROTO
	0x95: {arg: fixed8},                // FRAME
	'.':  {arg: none},                  // STOP
	'(':  {arg: none, container: true}, // MARK
	'0':  {arg: none},                  // POP
	'1':  {arg: none},                  // POP_MARK
	'N':  {arg: none},                  // NONE
	0x88: {arg: none},                  // NEWTRUE
	0x89: {arg: none},                  // NEWFALSE
	'J':  {arg: fixed4},                // BININT
	'K':  {arg: fixed1},                // BININT1
	'M':  {arg: fixed2},                // BININT2
	'G':  {arg: fixed8},                // BINFLOAT
	0x8a: {arg: counted1},              // LONG1
	'U':  {arg: counted1},              // SHORT_BINSTRING
	'T':  {arg: counted4},              // BINSTRING
	'X':  {arg: counted4},              // BINUNICODE
	0x8c: {arg: counted1},              // SHORT_BINUNICODE
	0x8d: {arg: counted8},              // BINUNICODE8
	'C':  {arg: counted1},              // SHORT_BINBYTES
	'}':  {arg: none, container: true}, // EMPTY_DICT
	']':  {arg: none, container: true}, // EMPTY_LIST
	')':  {arg: none, container: true}, // EMPTY_TUPLE
	0x8f: {arg: none, container: true}, // EMPTY_SET
	't':  {arg: none},                  // TUPLE
	0x85: {arg: none, container: true}, // TUPLE1
	0x86: {arg: none, container: true}, // TUPLE2
	0x87: {arg: none, container: true}, // TUPLE3
	'a':  {arg: none},                  // APPEND
	'e':  {arg: none},                  // APPENDS
	's':  {arg: none},                  // SETITEM
	'u':  {arg: none},                  // SETITEMS
	0x90: {arg: none},                  // ADDITEMS
	'h':  {arg: fixed1},                // BINGET
	'j':  {arg: fixed4},                // LONG_BINGET
	'q':  {arg: fixed1},                // BINPUT
	'r':  {arg: fixed4},                // LONG_BINPUT
	0x94: {arg: none},                  // MEMOIZE
	'c':  {arg: twoLines},              // GLOBAL
	0x93: {arg: none},                  // STACK_GLOBAL
	0x81: {arg: none, container: true}, // NEWOBJ
	'R':  {arg: none, container: true}, // REDUCE
	'b':  {arg: none},                  // BUILD
	'Q':  {arg: none, container: true}, // BINPERSID
}

// checkPickle walks one pickle at the start of b without executing it and
// returns its length. It demands that every opcode is a known one and every
// length lies within b: the interpreter allocates what a length says before it
// looks at the stream, and no recover catches an exhausted memory.
func checkPickle(b []byte) (int, error) {
	containers := 0
	for i := 0; i < len(b); {
		at, code := i, b[i]
		op := opcodes[code]
		i++
		if i > maxPickle {
			return 0, fmt.Errorf("%w: its pickle is longer than %d bytes, too much for a state dict", ErrFormat, maxPickle)
		}
		if op.arg == refused {
			return 0, fmt.Errorf("%w: byte %d of its pickle is the opcode 0x%02x, which torch.save does not write for a state dict", ErrFormat, at, code)
		}
		if op.container {
			if containers++; containers > maxContainers {
				return 0, fmt.Errorf("%w: its pickle makes more than %d objects, too many for a state dict", ErrFormat, maxContainers)
			}
		}
		if code == '.' {
			return i, nil
		}
		n, ok := argLen(op.arg, b[i:])
		if !ok {
			return 0, fmt.Errorf("%w: its pickle is cut short inside the opcode 0x%02x at byte %d", ErrFormat, code, at)
		}
		// A frame's length must fit as well, but what it frames is walked too.
		if code == 0x95 && binary.LittleEndian.Uint64(b[i:]) > uint64(len(b)-i-n) {
			return 0, fmt.Errorf("%w: its pickle is cut short inside the frame at byte %d", ErrFormat, at)
		}
		i += n
	}
	return 0, fmt.Errorf("%w: its pickle is cut short after %d bytes", ErrFormat, len(b))
}

// headLens are the bytes that an argument takes at least.
var headLens = [...]int{fixed1: 1, fixed2: 2, fixed4: 4, fixed8: 8, counted1: 1, counted4: 4, counted8: 8, twoLines: 0}

// argLen is the length of an opcode's argument at the start of b, and whether b
// has that many bytes.
func argLen(kind argKind, b []byte) (int, bool) {
	head := headLens[kind]
	if len(b) < head {
		return 0, false
	}
	var body uint64
	switch kind {
	case counted1:
		body = uint64(b[0])
	case counted4:
		body = uint64(binary.LittleEndian.Uint32(b))
	case counted8:
		body = binary.LittleEndian.Uint64(b)
	case twoLines:
		for range 2 {
			n := bytes.IndexByte(b[head:], '\n')
			if n < 0 {
				return 0, false
			}
			head += n + 1
		}
	}
	if body > uint64(len(b)-head) {
		return 0, false
	}
	return head + int(body), true
}
