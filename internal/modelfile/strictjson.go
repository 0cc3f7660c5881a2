package modelfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// maxJSON bounds one metadata value; that of MobileNetV3-Large takes 40 kB.
const maxJSON = 16 << 20

// reader decodes JSON without guessing. Go's decoder leaves absent fields at
// zero, ignores null and the case of keys, and merges repeated keys; here the
// text must say exactly what the decoded value says.
type reader struct {
	extra bool // keys that this build does not know are allowed
}

func (r reader) decode(where, text string, into any) error {
	if len(text) > maxJSON {
		return fmt.Errorf("%s takes %d bytes, at most %d are allowed", where, len(text), maxJSON)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	again, err := json.Marshal(into)
	if err == nil {
		err = json.Unmarshal(again, &want)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return r.same(where, got, want)
}

// same compares what a file says with what this build understood of it.
func (r reader) same(where string, got, want any) error {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: want an object", where)
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			v, ok := got[k]
			if !ok {
				return fmt.Errorf("%s: key %q is missing", where, k)
			}
			if err := r.same(where+"."+k, v, want[k]); err != nil {
				return err
			}
		}
		if r.extra {
			return nil
		}
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if _, ok := want[k]; !ok {
				return fmt.Errorf("%s: unknown key %q", where, k)
			}
		}
		return nil
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return fmt.Errorf("%s: want an array of %d", where, len(want))
		}
		for i := range want {
			if err := r.same(fmt.Sprintf("%s[%d]", where, i), got[i], want[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s is %v, want a value such as %v", where, got, want)
	}
	return nil
}
