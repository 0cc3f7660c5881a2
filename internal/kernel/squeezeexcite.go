package kernel

// maxInner bounds the int16 vectors between the layers of
// squeeze-and-excitation.
const maxInner = 16383

// SqueezeExcite holds the parameters of equations 8 to 11. C is the number of
// channels, J the squeezed width.
type SqueezeExcite struct {
	SqueezeM   []float32 // [C], sum to int16 steps
	Reduce     []int8    // [J][C]
	ReduceBias []int32   // [J]
	ReduceM    []float32 // [J], accumulator to int16 steps
	Expand     []int8    // [C][J]
	ExpandBias []int32   // [C]
	ExpandM    []float32 // [C], accumulator to the gate's argument
	Sigmoid    bool      // the gate is sigmoid, not hard-sigmoid
	ScaleM     []float32 // [C], input to output steps at gate 1
	InZero     []int8    // [C]
	OutZero    []int8    // [C]
}

// SqueezeBuffers are what SqueezeExcite works in.
type SqueezeBuffers struct {
	Sum     []int32   // C or more, J or more
	Squeeze []int16   // C or more, up to a multiple of WideStep
	Inner   []int16   // J or more, up to a multiple of WideStep
	Float   []float32 // C or more, J or more
	Gate    []float32 // C or more
}

// Run computes dst from src, both [pixels][C].
func (s *SqueezeExcite) Run(dst, src []int8, b *SqueezeBuffers) {
	channels, squeezed := len(s.ScaleM), len(s.ReduceBias)
	gate := b.Gate[:channels]
	squeeze, inner := b.Squeeze[:channels], b.Inner[:squeezed]

	Sums(b.Sum[:channels], src, s.InZero)
	for c, m := range s.SqueezeM {
		squeeze[c] = int16(min(max(round(float32(b.Sum[c])*m), -maxInner), maxInner))
	}
	wideProduct(b.Sum[:squeezed], s.Reduce, s.ReduceBias, squeeze)
	for j, m := range s.ReduceM {
		inner[j] = int16(min(max(round(float32(b.Sum[j])*m), 0), maxInner))
	}
	wideProduct(b.Sum[:channels], s.Expand, s.ExpandBias, inner)
	for c, m := range s.ExpandM {
		v := float32(b.Sum[c]) * m
		g := float32(0)
		if s.Sigmoid {
			g = Sigmoid(v)
		} else {
			g = clampUnit(float32(v) + 0.5)
		}
		gate[c] = s.ScaleM[c] * g
	}
	rescale(dst, src, s.InZero, s.OutZero, gate, 0)
}

// wideProduct is acc[o] = bias[o] + sum_k weight[o][k] * x[k] for int16 inputs,
// four outputs at a time. Every sum must fit an int32.
func wideProduct(acc []int32, weight []int8, bias []int32, x []int16) {
	n := len(x)
	o := 0
	for ; o+4 <= len(acc); o += 4 {
		w0, w1 := weight[o*n:][:n], weight[(o+1)*n:][:n]
		w2, w3 := weight[(o+2)*n:][:n], weight[(o+3)*n:][:n]
		a, b, c, d := bias[o], bias[o+1], bias[o+2], bias[o+3]
		for k, v := range x {
			v := int32(v)
			a += v * int32(w0[k])
			b += v * int32(w1[k])
			c += v * int32(w2[k])
			d += v * int32(w3[k])
		}
		acc[o], acc[o+1], acc[o+2], acc[o+3] = a, b, c, d
	}
	for ; o < len(acc); o++ {
		w, a := weight[o*n:][:n], bias[o]
		for k, v := range x {
			a += int32(v) * int32(w[k])
		}
		acc[o] = a
	}
}

// rescale is equation 11: dst = sat8(rne(f32(src - z_x[c]) * gate[c]) + z_y[c]).
// src and dst are [pixels][C]; flip is theirs.
func rescale(dst, src, inZero, outZero []int8, gate []float32, flip int8) {
	n := len(gate)
	inZero, outZero = inZero[:n], outZero[:n]
	for i := 0; i+n <= len(src); i += n {
		to, from := dst[i:][:n], src[i:][:n]
		for c, g := range gate {
			to[c] = saturate(round(float32(int32(from[c]^flip)-int32(inZero[c]))*g)+int32(outZero[c])) ^ flip
		}
	}
}
