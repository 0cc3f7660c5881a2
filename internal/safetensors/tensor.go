package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/x448/float16"
)

// Tensor is one named array. Data is little-endian, in C order (the last
// dimension varies fastest) and DType.Size() times the product of Shape long.
// A scalar has an empty shape and one element.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// Len returns the number of elements that Data holds.
func (t Tensor) Len() int {
	if t.DType.Size() == 0 {
		return 0
	}
	return len(t.Data) / t.DType.Size()
}

// Float32s returns the elements of a float tensor: F32 as they are, F16 and
// BF16 widened (which is exact), F64 rounded to the nearest float32. A finite
// F64 too large for a float32 is an error, as is a type that is not a float.
func (t Tensor) Float32s() ([]float32, error) {
	out := make([]float32, t.Len())
	d := t.Data
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(d[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = float16.Frombits(binary.LittleEndian.Uint16(d[2*i:])).Float32()
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(d[2*i:])) << 16)
		}
	case F64:
		for i := range out {
			v := math.Float64frombits(binary.LittleEndian.Uint64(d[8*i:]))
			out[i] = float32(v)
			if math.IsInf(float64(out[i]), 0) && !math.IsInf(v, 0) {
				return nil, fmt.Errorf("tensor %q: element %d is %g, which a float32 cannot hold", t.Name, i, v)
			}
		}
	default:
		return nil, t.wrongType("F32, F16, BF16 or F64")
	}
	return out, nil
}

// Int8s returns the elements of an I8 tensor.
func (t Tensor) Int8s() ([]int8, error) {
	if t.DType != I8 {
		return nil, t.wrongType("I8")
	}
	out := make([]int8, t.Len())
	for i := range out {
		out[i] = int8(t.Data[i])
	}
	return out, nil
}

// Int32s returns the elements of an I32 tensor.
func (t Tensor) Int32s() ([]int32, error) {
	if t.DType != I32 {
		return nil, t.wrongType("I32")
	}
	out := make([]int32, t.Len())
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return out, nil
}

func (t Tensor) wrongType(want string) error {
	return fmt.Errorf("%w: tensor %q has dtype %s, want %s", ErrFormat, t.Name, t.DType, want)
}

// NewF32 makes an F32 tensor. The shape must ask for exactly len(v) elements.
func NewF32(name string, shape []int, v []float32) (Tensor, error) {
	t, err := newTensor(name, F32, shape, len(v))
	if err != nil {
		return Tensor{}, err
	}
	for i, x := range v {
		binary.LittleEndian.PutUint32(t.Data[4*i:], math.Float32bits(x))
	}
	return t, nil
}

// NewF16 makes an F16 tensor of float32 values, rounding each to the nearest
// half, ties to even. Values below the smallest half become zero. A finite
// value of 65520 or more, which would round to infinity, is an error that names
// it; infinities and NaNs stay what they are.
func NewF16(name string, shape []int, v []float32) (Tensor, error) {
	t, err := newTensor(name, F16, shape, len(v))
	if err != nil {
		return Tensor{}, err
	}
	for i, x := range v {
		h := float16.Fromfloat32(x)
		if h.IsInf(0) && !math.IsInf(float64(x), 0) {
			return Tensor{}, fmt.Errorf("tensor %q: element %d is %g, beyond the largest half-precision value 65504; keep this tensor in float32", name, i, x)
		}
		binary.LittleEndian.PutUint16(t.Data[2*i:], h.Bits())
	}
	return t, nil
}

// NewI8 makes an I8 tensor. The shape must ask for exactly len(v) elements.
func NewI8(name string, shape []int, v []int8) (Tensor, error) {
	t, err := newTensor(name, I8, shape, len(v))
	if err != nil {
		return Tensor{}, err
	}
	for i, x := range v {
		t.Data[i] = byte(x)
	}
	return t, nil
}

// NewI32 makes an I32 tensor. The shape must ask for exactly len(v) elements.
func NewI32(name string, shape []int, v []int32) (Tensor, error) {
	t, err := newTensor(name, I32, shape, len(v))
	if err != nil {
		return Tensor{}, err
	}
	for i, x := range v {
		binary.LittleEndian.PutUint32(t.Data[4*i:], uint32(x))
	}
	return t, nil
}

// newTensor takes room for n elements once the shape is known to ask for them.
func newTensor(name string, d DType, shape []int, n int) (Tensor, error) {
	if err := checkTensor(name, d, shape, int64(n)*int64(d.Size())); err != nil {
		return Tensor{}, err
	}
	return Tensor{Name: name, DType: d, Shape: slices.Clone(shape), Data: make([]byte, n*d.Size())}, nil
}
