package modelfile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/x448/float16"

	"github.com/seedge/seedge/internal/safetensors"
	"github.com/seedge/seedge/nn"
)

// tensors hands out a file's tensors by name, each once.
type tensors struct {
	rest map[string]safetensors.Tensor
}

func newTensors(f *safetensors.File) *tensors {
	t := &tensors{make(map[string]safetensors.Tensor, len(f.Tensors))}
	for _, x := range f.Tensors {
		t.rest[x.Name] = x
	}
	return t
}

// take returns the tensor of that name, type and shape. The container has
// proven that the shape and the bytes agree, so nothing is allocated for a
// shape alone.
func (t *tensors) take(name string, d safetensors.DType, shape []int) (safetensors.Tensor, error) {
	x, ok := t.rest[name]
	if !ok {
		return x, fmt.Errorf("tensor %q is missing, want %s %v", name, d, shape)
	}
	if x.DType != d || !slices.Equal(x.Shape, shape) {
		return x, fmt.Errorf("tensor %q is %s %v, want %s %v", name, x.DType, x.Shape, d, shape)
	}
	delete(t.rest, name)
	return x, nil
}

func (t *tensors) floats(name string, d safetensors.DType, shape []int, into *[]float32) error {
	x, err := t.take(name, d, shape)
	if err != nil {
		return err
	}
	*into, err = x.Float32s()
	return err
}

func (t *tensors) param(name string, p nn.QParam) error {
	switch {
	case p.Int8 != nil:
		x, err := t.take(name, safetensors.I8, p.Shape)
		if err != nil {
			return err
		}
		*p.Int8, err = x.Int8s()
		return err
	case p.Int32 != nil:
		x, err := t.take(name, safetensors.I32, p.Shape)
		if err != nil {
			return err
		}
		*p.Int32, err = x.Int32s()
		return err
	}
	return t.floats(name, safetensors.F32, p.Shape, p.Float)
}

// empty demands that all tensors have been taken.
func (t *tensors) empty() error {
	if len(t.rest) == 0 {
		return nil
	}
	var left []string
	for name := range t.rest {
		left = append(left, fmt.Sprintf("%q", name))
	}
	slices.Sort(left)
	more := ""
	if n := len(left); n > 5 {
		left, more = left[:5], fmt.Sprintf(" and %d more", n-5)
	}
	return fmt.Errorf("no node owns the tensors %s%s", strings.Join(left, ", "), more)
}

func qtensor(name string, p nn.QParam) (safetensors.Tensor, error) {
	switch {
	case p.Int8 != nil:
		return safetensors.NewI8(name, p.Shape, *p.Int8)
	case p.Int32 != nil:
		return safetensors.NewI32(name, p.Shape, *p.Int32)
	}
	return safetensors.NewF32(name, p.Shape, *p.Float)
}

// halves makes an F16 tensor, losing nothing or giving an error.
func halves(name string, shape []int, v []float32) (safetensors.Tensor, error) {
	for i, x := range v {
		if math.Float32bits(float16.Fromfloat32(x).Float32()) != math.Float32bits(x) {
			return safetensors.Tensor{}, fmt.Errorf("%s[%d] is %g, which half precision cannot hold exactly; round the weights first (seedge quantise --precision fp16)", name, i, x)
		}
	}
	return safetensors.NewF16(name, shape, v)
}
