package checkpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

var (
	// ErrFormat is wrapped by every error about a file's content: not a
	// checkpoint, cut short, corrupt, or holding something other than a state
	// dict. Errors of the file system do not wrap it.
	ErrFormat = errors.New("not a usable checkpoint")
	// ErrNonFinite is wrapped when a weight is NaN or infinite.
	ErrNonFinite = errors.New("non-finite weight")
	// ErrMismatch is wrapped by Match when the tensors are not those wanted.
	ErrMismatch = errors.New("the checkpoint is not one of this network")
)

// Tensor is one float tensor, in C order: the last dimension varies fastest.
// Convolution weights are as PyTorch has them: out, in, height, width. A scalar
// has an empty shape.
type Tensor struct {
	Shape []int
	Data  []float32
}

// StateDict is the named tensors of a checkpoint, in the order of the file. Float
// tensors are kept with their values, which are all finite. Of integer tensors,
// which no network computes with (BatchNorm's num_batches_tracked is one), only
// the name and type are remembered, so that Match can account for them.
type StateDict struct {
	names    []string
	tensors  map[string]Tensor
	intNames []string
	intTypes map[string]string
}

// NewStateDict returns an empty StateDict.
func NewStateDict() *StateDict {
	return &StateDict{tensors: map[string]Tensor{}, intTypes: map[string]string{}}
}

// Names returns the names of the float tensors, in the order of the file.
func (d *StateDict) Names() []string { return slices.Clone(d.names) }

// IntegerNames returns the names of the integer tensors, in the order of the file.
func (d *StateDict) IntegerNames() []string { return slices.Clone(d.intNames) }

// Len returns the number of float tensors.
func (d *StateDict) Len() int { return len(d.names) }

// Tensor returns the float tensor of that name, and whether there is one. Its
// Data is the StateDict's own, not a copy.
func (d *StateDict) Tensor(name string) (Tensor, bool) {
	t, ok := d.tensors[name]
	return t, ok
}

// Add puts a tensor at the end. It refuses a name that is taken, data of
// another length than the shape's, and values that are not finite.
func (d *StateDict) Add(name string, t Tensor) error {
	if d.has(name) {
		return fmt.Errorf("%w: two tensors are called %q", ErrFormat, name)
	}
	if n, ok := product(t.Shape); !ok || n != len(t.Data) {
		return fmt.Errorf("%w: tensor %q of shape %v has %d values", ErrFormat, name, t.Shape, len(t.Data))
	}
	for i, v := range t.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%w: tensor %q: element %v (of shape %v) is %v; training diverged or the file is damaged",
				ErrNonFinite, name, position(i, t.Shape), t.Shape, v)
		}
	}
	d.names = append(d.names, name)
	d.tensors[name] = t
	return nil
}

// addInteger remembers that the checkpoint has an integer tensor.
func (d *StateDict) addInteger(name, dtype string) error {
	if d.has(name) {
		return fmt.Errorf("%w: two tensors are called %q", ErrFormat, name)
	}
	d.intNames = append(d.intNames, name)
	d.intTypes[name] = dtype
	return nil
}

func (d *StateDict) has(name string) bool {
	_, isFloat := d.tensors[name]
	_, isInt := d.intTypes[name]
	return isFloat || isInt
}

// wrappers are the prefixes that PyTorch's wrappers put before every name:
// DataParallel and AveragedModel the first, torch.compile the second.
var wrappers = []string{"module.", "_orig_mod."}

// unwrapped returns d without the prefixes of wrappers. A prefix goes only when
// every float tensor bears it, since a network may have a part called module.
func (d *StateDict) unwrapped() (*StateDict, error) {
	for again := true; again; {
		again = false
		for _, prefix := range wrappers {
			if d.Len() == 0 || slices.ContainsFunc(d.names, func(n string) bool { return !strings.HasPrefix(n, prefix) }) {
				continue
			}
			out := NewStateDict()
			for _, n := range d.names {
				short := strings.TrimPrefix(n, prefix)
				out.names = append(out.names, short)
				out.tensors[short] = d.tensors[n]
			}
			for _, n := range d.intNames {
				if err := out.addInteger(strings.TrimPrefix(n, prefix), d.intTypes[n]); err != nil {
					return nil, err
				}
			}
			d, again = out, true
		}
	}
	return d, nil
}

// product is the number of elements of a shape; false when it is negative or
// would not fit an int.
func product(shape []int) (int, bool) {
	for _, s := range shape {
		if s < 0 {
			return 0, false
		}
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	n := 1
	for _, s := range shape {
		if s > math.MaxInt/n {
			return 0, false
		}
		n *= s
	}
	return n, true
}

// position turns an offset in C order into one index per dimension.
func position(i int, shape []int) []int {
	out := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		out[d] = i % shape[d]
		i /= shape[d]
	}
	return out
}
