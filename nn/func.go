package nn

import (
	"encoding"
	"fmt"
	"math"
)

// Func is an elementwise activation function.
type Func int

// The activation functions. HardSigmoid and HardSwish are those of the
// MobileNetV3 paper (section 5.2): relu6(x+3)/6 and x*relu6(x+3)/6. Keras's old
// hard-sigmoid, 0.2x+0.5, is another function and is not among them.
const (
	Identity Func = iota
	ReLU
	ReLU6
	HardSwish
	HardSigmoid
	Sigmoid
)

var funcNames = [...]string{"identity", "relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid"}

var (
	_ encoding.TextMarshaler   = Func(0)
	_ encoding.TextUnmarshaler = (*Func)(nil)
)

func (f Func) known() bool { return f >= 0 && int(f) < len(funcNames) }

func (f Func) String() string {
	if !f.known() {
		return fmt.Sprintf("Func(%d)", int(f))
	}
	return funcNames[f]
}

// MarshalText writes the function's name, as model files hold it.
func (f Func) MarshalText() ([]byte, error) {
	if !f.known() {
		return nil, fmt.Errorf("nn: no activation function has number %d", int(f))
	}
	return []byte(funcNames[f]), nil
}

// UnmarshalText reads a name; an unknown one is an error.
func (f *Func) UnmarshalText(text []byte) error {
	for i, name := range funcNames {
		if name == string(text) {
			*f = Func(i)
			return nil
		}
	}
	return fmt.Errorf("nn: unknown activation function %q, want one of %v", text, funcNames)
}

// Apply returns f(x) in float32.
func (f Func) Apply(x float32) float32 {
	switch f {
	case ReLU:
		return max(x, 0)
	case ReLU6:
		return min(max(x, 0), 6)
	case HardSwish:
		return x * min(max(x+3, 0), 6) / 6
	case HardSigmoid:
		return min(max(x+3, 0), 6) / 6
	case Sigmoid:
		return float32(1 / (1 + math.Exp(-float64(x))))
	}
	return x
}
