package safetensors

import "slices"

// DType is the element type of a tensor, spelled as in the header.
type DType string

// The element types that this package reads and writes. The format knows a few
// more (eight-bit floats, unsigned wide integers, complex numbers); a file that
// uses one of those is refused with an error that names the tensor.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// layoutOrder is the order of data in a written file: widest elements first, so
// that every tensor starts at a multiple of its element size. It is the order
// that the format's reference library uses, so both write the same bytes.
var layoutOrder = []DType{I64, F64, F32, I32, BF16, F16, I16, I8, U8, Bool}

// Size returns the number of bytes of one element, or 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case F64, I64:
		return 8
	case F32, I32:
		return 4
	case F16, BF16, I16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// IsFloat reports whether d is one of F64, F32, F16 and BF16.
func (d DType) IsFloat() bool {
	return d == F64 || d == F32 || d == F16 || d == BF16
}

func (d DType) layoutRank() int { return slices.Index(layoutOrder, d) }
