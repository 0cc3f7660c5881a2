package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// entry is one tensor of the header. Its offsets are relative to the data.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
	hasDType   bool
	hasShape   bool
	hasOffsets bool
}

// parseHeader reads the JSON token by token instead of into a map, because a
// map would let the second of two tensors of one name silently win.
func parseHeader(raw []byte) (map[string]string, []entry, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, nil, fmt.Errorf("%w: the header does not begin with '{'", ErrFormat)
	}
	if !utf8.Valid(raw) {
		return nil, nil, fmt.Errorf("%w: the header is not valid UTF-8", ErrFormat)
	}
	p := parser{json.NewDecoder(bytes.NewReader(raw))}
	p.dec.UseNumber()

	var meta map[string]string
	var entries []entry
	err := p.object("the header", func(key string) error {
		if key == metadataKey {
			meta = map[string]string{}
			return p.object(metadataKey, func(k string) error {
				v, err := p.str(fmt.Sprintf("metadata entry %q", k))
				meta[k] = v
				return err
			})
		}
		e, err := p.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if tok, err := p.dec.Token(); err != io.EOF {
		return nil, nil, fmt.Errorf("%w: the header goes on after its closing brace (%v)", ErrFormat, tok)
	}
	return meta, entries, nil
}

type parser struct{ dec *json.Decoder }

func (p parser) token(where string) (json.Token, error) {
	t, err := p.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, where, err)
	}
	return t, nil
}

func (p parser) delim(where string, want json.Delim) error {
	t, err := p.token(where)
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%w: %s: got %v, want '%v'", ErrFormat, where, t, want)
	}
	return nil
}

func (p parser) str(where string) (string, error) {
	t, err := p.token(where)
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%w: %s is %v, want a string", ErrFormat, where, t)
	}
	return s, nil
}

// object calls member for each key; member must consume the key's value.
func (p parser) object(where string, member func(key string) error) error {
	if err := p.delim(where, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.str(where)
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%w: %s has the key %q twice", ErrFormat, where, key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	return p.delim(where, '}')
}

// numbers reads an array of plain non-negative integers. 1e3, 2.0 and -1 are
// refused: no writer produces them, and a float64 cannot hold every offset.
func (p parser) numbers(where string) ([]int, error) {
	if err := p.delim(where, '['); err != nil {
		return nil, err
	}
	out := []int{}
	for p.dec.More() {
		t, err := p.token(where)
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%w: %s has the element %v, want an integer", ErrFormat, where, t)
		}
		v, err := strconv.ParseUint(n.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%w: %s has the element %s, want an integer from 0 to %d", ErrFormat, where, n, uint(1)<<(strconv.IntSize-1)-1)
		}
		out = append(out, int(v))
	}
	return out, p.delim(where, ']')
}

func (p parser) entry(name string) (entry, error) {
	e := entry{name: name}
	where := fmt.Sprintf("tensor %q", name)
	err := p.object(where, func(key string) error {
		field := where + ": " + key
		switch key {
		case "dtype":
			s, err := p.str(field)
			e.dtype, e.hasDType = DType(s), true
			return err
		case "shape":
			v, err := p.numbers(field)
			e.shape, e.hasShape = v, true
			return err
		case "data_offsets":
			v, err := p.numbers(field)
			if err != nil {
				return err
			}
			if len(v) != 2 {
				return fmt.Errorf("%w: %s has %d numbers, want 2", ErrFormat, field, len(v))
			}
			e.begin, e.end, e.hasOffsets = int64(v[0]), int64(v[1]), true
			return nil
		}
		return fmt.Errorf("%w: %s has the unknown key %q, want dtype, shape and data_offsets", ErrFormat, where, key)
	})
	if err != nil {
		return entry{}, err
	}
	if !e.hasDType || !e.hasShape || !e.hasOffsets {
		return entry{}, fmt.Errorf("%w: %s lacks one of dtype, shape and data_offsets", ErrFormat, where)
	}
	return e, nil
}
