package checkpoint

import (
	"fmt"
	"math"

	"github.com/seedge/seedge/internal/safetensors"
)

// storageKind is a storage class of PyTorch: the element type of a storage.
type storageKind struct {
	dtype safetensors.DType
}

// storageKinds by the name that a pickle calls them.
var storageKinds = map[string]storageKind{
	"torch.DoubleStorage":   {safetensors.F64},
	"torch.FloatStorage":    {safetensors.F32},
	"torch.HalfStorage":     {safetensors.F16},
	"torch.BFloat16Storage": {safetensors.BF16},
	"torch.LongStorage":     {safetensors.I64},
	"torch.IntStorage":      {safetensors.I32},
	"torch.ShortStorage":    {safetensors.I16},
	"torch.CharStorage":     {safetensors.I8},
	"torch.ByteStorage":     {safetensors.U8},
	"torch.BoolStorage":     {safetensors.Bool},
}

// storage is a run of n elements, of which tensors are views. data is a part of
// the file in memory; in the older format it is known only after the pickle.
type storage struct {
	kind storageKind
	key  string
	n    int
	data []byte
}

// setData gives the storage its bytes, which must be exactly as many as it needs.
func (s *storage) setData(b []byte) error {
	if size := s.kind.dtype.Size(); len(b)%size != 0 || len(b)/size != s.n {
		return fmt.Errorf("%w: storage %q should hold %d elements of %s, but has %d bytes", ErrFormat, s.key, s.n, s.kind.dtype, len(b))
	}
	s.data = b
	return nil
}

// view is a tensor as the pickle describes it: a shape laid over a storage with
// a stride, in elements, for each dimension. Nothing is copied yet.
type view struct {
	storage *storage
	offset  int
	shape   []int
	stride  []int
}

// newView checks that every element of the view lies within the storage.
func newView(s *storage, offset int, shape, stride []int) (*view, error) {
	if len(shape) != len(stride) {
		return nil, fmt.Errorf("a tensor has shape %v but strides %v", shape, stride)
	}
	n, ok := product(shape)
	if !ok || offset < 0 || offset > s.n {
		return nil, fmt.Errorf("a tensor of shape %v begins at element %d of a storage of %d", shape, offset, s.n)
	}
	if n > 0 {
		last := offset
		for d, size := range shape {
			if stride[d] < 0 || size > 1 && stride[d] > (math.MaxInt-last)/(size-1) {
				return nil, fmt.Errorf("a tensor of shape %v has the strides %v", shape, stride)
			}
			last += (size - 1) * stride[d]
		}
		if last >= s.n {
			return nil, fmt.Errorf("a tensor of shape %v and strides %v at %d reaches beyond its storage of %d elements", shape, stride, offset, s.n)
		}
	}
	return &view{s, offset, shape, stride}, nil
}

// contiguous reports whether the elements lie in C order without gaps.
func (v *view) contiguous() bool {
	next := 1
	for d := len(v.shape) - 1; d >= 0; d-- {
		if v.shape[d] != 1 && v.stride[d] != next {
			return false
		}
		next *= v.shape[d]
	}
	return true
}

// bytes returns the n elements in C order: a part of the storage if they lie
// so, else gathered by stride.
func (v *view) bytes(n int) []byte {
	size := v.storage.kind.dtype.Size()
	if n == 0 {
		return nil
	}
	if v.contiguous() {
		return v.storage.data[v.offset*size : (v.offset+n)*size]
	}
	out := make([]byte, 0, n*size)
	index := make([]int, len(v.shape))
	pos := v.offset
	for range n {
		out = append(out, v.storage.data[pos*size:(pos+1)*size]...)
		// Count up like an odometer, moving pos along.
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < v.shape[d] {
				pos += v.stride[d]
				break
			}
			pos -= (v.shape[d] - 1) * v.stride[d]
			index[d] = 0
		}
	}
	return out
}

// float32s returns the n elements, in C order, as float32.
func (v *view) float32s(n int) ([]float32, error) {
	t := safetensors.Tensor{DType: v.storage.kind.dtype, Data: v.bytes(n)}
	return t.Float32s()
}
