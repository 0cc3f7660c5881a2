package checkpoint

import (
	"bytes"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// unpickle runs the pickle at the start of b, which checkPickle has passed, and
// returns its value. persistent resolves references to storages; nil refuses them.
func unpickle(b []byte, persistent func(any) (any, error)) (value any, n int, err error) {
	n, err = checkPickle(b)
	if err != nil {
		return nil, 0, err
	}
	// The interpreter trusts the stream in small ways that a damaged file finds:
	// it indexes an odd list of items by pairs, hashes keys that cannot be
	// hashed, reads the sign of a number of no bytes. Each is a panic of this
	// goroutine, before anything of ours has changed, and means a bad file.
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, fmt.Errorf("%w: its pickle is damaged (%v)", ErrFormat, p)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(b[:n]))
	u.FindClass = findClass
	u.PersistentLoad = persistent
	value, err = u.Load()
	if err != nil {
		return nil, 0, inPickle(err)
	}
	return value, n, nil
}

// inPickle marks an error of the interpreter as one of the content. The
// interpreter quotes values of the file in its messages; keep those short.
func inPickle(err error) error {
	if _, ours := err.(classError); ours {
		return formatError{err}
	}
	msg := []rune(err.Error())
	if len(msg) > 300 {
		msg = append(msg[:300], '…')
	}
	return fmt.Errorf("%w: its pickle is damaged: %s", ErrFormat, string(msg))
}

// classError refuses a class by name.
type classError struct{ module, name string }

func (e classError) Error() string {
	return fmt.Sprintf("%v: it refers to the Python class or function %.100q, so it holds more than a state dict (a whole pickled model?); "+
		"load it in Python and save the weights alone: torch.save(model.state_dict(), path)", ErrFormat, e.module+"."+e.name)
}

// findClass knows the classes and functions of which torch.save makes a state
// dict, and refuses every other. (The interpreter itself knows OrderedDict.)
func findClass(module, name string) (any, error) {
	full := module + "." + name
	if kind, ok := storageKinds[full]; ok {
		return kind, nil
	}
	switch full {
	case "torch._utils._rebuild_tensor_v2":
		return rebuildTensor{}, nil
	case "torch._utils._rebuild_parameter":
		return rebuildParameter{}, nil
	case "torch.Size":
		return inert{full}, nil
	case "argparse.Namespace":
		// torchvision's training script saves its options beside the model.
		return inert{full}, nil
	}
	return nil, classError{module, name}
}

// inert is a Python class, or an object of one, that may stand beside the
// weights in a checkpoint and of which nothing is wanted.
type inert struct{ class string }

var (
	_ types.Callable        = inert{}
	_ types.PyNewable       = inert{}
	_ types.PyStateSettable = inert{}
)

func (i inert) Call(...any) (any, error)  { return i, nil }
func (i inert) PyNew(...any) (any, error) { return i, nil }
func (i inert) PySetState(any) error      { return nil }

// rebuildTensor stands for torch._utils._rebuild_tensor_v2(storage, offset,
// size, stride, requires_grad, backward_hooks[, metadata]).
type rebuildTensor struct{}

func (rebuildTensor) Call(args ...any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("_rebuild_tensor_v2 has %d arguments, want 6", len(args))
	}
	s, ok := args[0].(*storage)
	offset, okOffset := args[1].(int)
	shape, okShape := ints(args[2])
	stride, okStride := ints(args[3])
	if !ok || !okOffset || !okShape || !okStride {
		return nil, fmt.Errorf("_rebuild_tensor_v2 has arguments of types %T, %T, %T, %T", args[0], args[1], args[2], args[3])
	}
	return newView(s, offset, shape, stride)
}

// rebuildParameter stands for torch._utils._rebuild_parameter(data, ...), of
// which checkpoints made from named_parameters() are full.
type rebuildParameter struct{}

func (rebuildParameter) Call(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("_rebuild_parameter has no arguments")
	}
	v, ok := args[0].(*view)
	if !ok {
		return nil, fmt.Errorf("_rebuild_parameter has an argument of type %T, want a tensor", args[0])
	}
	return v, nil
}

func ints(v any) ([]int, bool) {
	t, ok := v.(*types.Tuple)
	if !ok {
		return nil, false
	}
	out := make([]int, t.Len())
	for i := range out {
		if out[i], ok = t.Get(i).(int); !ok {
			return nil, false
		}
	}
	return out, true
}
