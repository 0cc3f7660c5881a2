package checkpoint

import (
	"fmt"
	"slices"

	"github.com/nlpodyssey/gopickle/types"
)

// wrapKeys are the keys under which training scripts keep the state dict.
var wrapKeys = []string{"state_dict", "model_state_dict", "model"}

// item is one entry of a Python dict whose key is a string.
type item struct {
	key   string
	value any
}

// stateDict turns the value of a checkpoint's pickle into a StateDict. fileSize
// bounds the floats made of it: views may overlap or repeat one element without
// end, so the tensors of a file can be larger than the file.
func stateDict(root any, fileSize int) (*StateDict, error) {
	items, err := findTensors(root, 3)
	if err != nil {
		return nil, err
	}
	d := NewStateDict()
	// One float for each byte of the file covers half precision twice over and
	// tied weights; the constant is for tiny files with broadcast tensors.
	budget := fileSize + 1<<16
	for _, it := range items {
		v, ok := it.value.(*view)
		if !ok {
			return nil, fmt.Errorf("%w: its entry %q is %s, not a tensor; save the weights alone: torch.save(model.state_dict(), path)", ErrFormat, it.key, describe(it.value))
		}
		dtype := v.storage.kind.dtype
		if !dtype.IsFloat() {
			if err := d.addInteger(it.key, string(dtype)); err != nil {
				return nil, err
			}
			continue
		}
		n, _ := product(v.shape) // newView has checked it
		if n > budget {
			return nil, fmt.Errorf("%w: tensor %q of shape %v: the tensors hold far more elements than the file has bytes", ErrFormat, it.key, v.shape)
		}
		budget -= n
		data, err := v.float32s(n)
		if err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %w", ErrFormat, it.key, err)
		}
		if err := d.Add(it.key, Tensor{Shape: v.shape, Data: data}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// findTensors returns the entries of the dict that holds tensors: root itself,
// or a dict under one of wrapKeys in it, at most depth deep.
func findTensors(root any, depth int) ([]item, error) {
	items, err := dictItems(root)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(items, func(it item) bool { _, ok := it.value.(*view); return ok }) {
		return items, nil
	}
	var inner []item
	for _, it := range items {
		if isDict(it.value) && slices.Contains(wrapKeys, it.key) {
			inner = append(inner, it)
		}
	}
	switch {
	case len(inner) == 1 && depth > 0:
		out, err := findTensors(inner[0].value, depth-1)
		if err != nil {
			return nil, fmt.Errorf("under %q: %w", inner[0].key, err)
		}
		return out, nil
	case len(inner) > 1:
		return nil, fmt.Errorf("%w: it has a dict under %q and one under %q; save the one that is meant: torch.save(checkpoint[%[2]q], path)", ErrFormat, inner[0].key, inner[1].key)
	}
	return nil, fmt.Errorf("%w: it holds no tensors, and no dict under any of %q; its keys are %s", ErrFormat, wrapKeys, someKeys(items))
}

func isDict(v any) bool {
	switch v.(type) {
	case *types.Dict, *types.OrderedDict:
		return true
	}
	return false
}

// dictItems lists a dict or OrderedDict. Every key must be a string, once.
func dictItems(v any) ([]item, error) {
	var items []item
	seen := map[string]bool{}
	add := func(k, v any) error {
		key, ok := k.(string)
		if !ok {
			return fmt.Errorf("%w: a dict in it has %s as a key, want names of tensors", ErrFormat, describe(k))
		}
		if seen[key] {
			return fmt.Errorf("%w: a dict in it has the key %q twice", ErrFormat, key)
		}
		seen[key] = true
		items = append(items, item{key, v})
		return nil
	}
	switch d := v.(type) {
	case *types.Dict:
		for _, e := range *d {
			if err := add(e.Key, e.Value); err != nil {
				return nil, err
			}
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			if err := add(entry.Key, entry.Value); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("%w: it holds %s, want a dict of named tensors: torch.save(model.state_dict(), path)", ErrFormat, describe(v))
	}
	return items, nil
}

// describe names a Python value for an error without quoting all of it.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int, float64:
		return fmt.Sprintf("the value %v", v)
	case string:
		return fmt.Sprintf("the string %.40q", v)
	case *view:
		return fmt.Sprintf("a single tensor of shape %v", v.shape)
	case *types.List, *types.Tuple:
		return "a list"
	case *types.Dict, *types.OrderedDict:
		return "a dict"
	case inert:
		return "an object of class " + v.class
	}
	return fmt.Sprintf("a %T", v)
}

func someKeys(items []item) string {
	var keys []string
	for _, it := range items[:min(len(items), 8)] {
		keys = append(keys, fmt.Sprintf("%.40q", it.key))
	}
	if len(items) > 8 {
		keys = append(keys, "...")
	}
	return fmt.Sprint(keys)
}
