package kernel

import "math"

// Activation is the function between accumulator and rounding.
type Activation int

// The activations of docs/arithmetic.md, section 2. ReLU is Identity with zero
// point -128: saturation does it.
const (
	Identity Activation = iota
	ReLU
	ReLU6
	HardSwish
)

// Epilogue turns accumulators into int8: equations 3 to 5, or 3r. All arrays
// are per output channel.
type Epilogue struct {
	Activation Activation
	Multiplier []float32 // m, accumulator to output steps
	Zero       []int8    // z_y
	Limit      []float32 // t = 6 / s_y, for ReLU6
	Gain       []float32 // g = s_y / 6, for HardSwish
	// Of the residual; nil if there is none.
	ResidualM    []float32 // k, residual steps to output steps
	ResidualZero []int8    // z_r

	flip int8 // of output and residual: ISA.Flip
}

// heldFor is e for tensors as isa holds them. It shares e's arrays.
func (e *Epilogue) heldFor(isa ISA) *Epilogue {
	held := *e
	held.flip = isa.Flip()
	return &held
}

// NewEpilogue derives the activation's constants from the output's scale. It
// keeps multiplier and zero; a caller sets the residual's fields itself.
func NewEpilogue(f Activation, multiplier, scale []float32, zero []int8) Epilogue {
	e := Epilogue{Activation: f, Multiplier: multiplier, Zero: zero}
	switch f {
	case ReLU6:
		e.Limit = make([]float32, len(scale))
		for o, s := range scale {
			e.Limit[o] = 6 / s
		}
	case HardSwish:
		e.Gain = make([]float32, len(scale))
		for o, s := range scale {
			e.Gain[o] = s / 6
		}
	}
	return e
}

// Apply computes one pixel:
//
//	u      = f32(acc[o]) * m[o] (+ f32(residual[o] - z_r[o]) * k[o])
//	dst[o] = sat8(rne(act(u)) + z[o])
//
// dst, acc and, if the epilogue has one, residual hold a value per channel.
func (e *Epilogue) Apply(dst []int8, acc []int32, residual []int8) {
	switch {
	case e.ResidualM != nil:
		e.applyResidual(dst, acc, residual)
	case e.Activation == HardSwish:
		e.applyHardSwish(dst, acc)
	case e.Activation == ReLU6:
		e.applyReLU6(dst, acc)
	default:
		e.applyIdentity(dst, acc)
	}
}

func (e *Epilogue) applyIdentity(dst []int8, acc []int32) {
	acc, m, z := acc[:len(dst)], e.Multiplier[:len(dst)], e.Zero[:len(dst)]
	for o := range dst {
		dst[o] = saturate(round(float32(acc[o])*m[o])+int32(z[o])) ^ e.flip
	}
}

func (e *Epilogue) applyReLU6(dst []int8, acc []int32) {
	acc, m, z, t := acc[:len(dst)], e.Multiplier[:len(dst)], e.Zero[:len(dst)], e.Limit[:len(dst)]
	for o := range dst {
		dst[o] = saturate(round(min(float32(acc[o])*m[o], t[o]))+int32(z[o])) ^ e.flip
	}
}

func (e *Epilogue) applyHardSwish(dst []int8, acc []int32) {
	acc, m, z, g := acc[:len(dst)], e.Multiplier[:len(dst)], e.Zero[:len(dst)], e.Gain[:len(dst)]
	for o := range dst {
		dst[o] = saturate(round(hardSwish(float32(acc[o])*m[o], g[o]))+int32(z[o])) ^ e.flip
	}
}

func (e *Epilogue) applyResidual(dst []int8, acc []int32, residual []int8) {
	acc, m, z := acc[:len(dst)], e.Multiplier[:len(dst)], e.Zero[:len(dst)]
	residual, k, zr := residual[:len(dst)], e.ResidualM[:len(dst)], e.ResidualZero[:len(dst)]
	for o := range dst {
		u := float32(float32(acc[o])*m[o]) + float32(float32(int32(residual[o]^e.flip)-int32(zr[o]))*k[o])
		switch e.Activation {
		case ReLU6:
			u = min(u, e.Limit[o])
		case HardSwish:
			u = hardSwish(u, e.Gain[o])
		}
		dst[o] = saturate(round(u)+int32(z[o])) ^ e.flip
	}
}

func hardSwish(u, g float32) float32 {
	return u * clampUnit(float32(u*g)+0.5)
}

// clampUnit is min(max(v, 0), 1) for any v but NaN. Floats from 0 up are ordered
// as their bits are, and a sign shifted over all bits clears the others: three
// integer operations, where min and max of floats are a dozen for NaN's sake.
func clampUnit(v float32) float32 {
	b := int32(math.Float32bits(v))
	b &^= b >> 31
	return math.Float32frombits(uint32(min(b, 0x3f800000)))
}
