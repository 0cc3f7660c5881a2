package kernel

import (
	"slices"
	"unsafe"
)

// squeezeArgs is what the kernels of squeeze-and-excitation read: squeeze_args
// in gen/src/squeeze.h.
type squeezeArgs struct {
	a               unsafe.Pointer // pixels
	channels        int
	pixels          int
	first           int // channel of the first block
	last            int // channel of the last block, which may overlap
	blocks          int
	sum             unsafe.Pointer
	gate            unsafe.Pointer
	inZero, outZero unsafe.Pointer
	c               unsafe.Pointer
	v               unsafe.Pointer // int16
	m, f            unsafe.Pointer // float32
}

// squeezeTile is what an instruction set has for squeeze-and-excitation, as
// registered.
type squeezeTile struct {
	isa     ISA
	masked  bool // any number of channels in one call; otherwise blocks of squeezeChannels
	sums    func(args *squeezeArgs)
	rescale func(args *squeezeArgs)
	// What comes between: equation 8, the end of 9, and 10 with hard-sigmoid, all
	// channels in one call. Nil where portable code does it.
	squeeze, inner, gate func(args *squeezeArgs)
}

const squeezeChannels = 16

// maskedChannels is how many channels a masked kernel has room for at once.
const maskedChannels = 64

// together is several pixels of few channels that a masked kernel takes for one:
// what it reads and writes of each channel, once for each pixel.
type together struct {
	sum, inZero, outZero [maskedChannels]int32
	gate                 [maskedChannels]float32
}

// together is how many of that many pixels of n channels are taken for one.
func (t *squeezeTile) together(n, pixels int) int {
	if !t.masked {
		return 1
	}
	return max(1, min(maskedChannels/n, pixels))
}

// callPixels bounds the pixels times channels of one call: see callWork.
const callPixels = 1 << 16

func squeezeFor(isa ISA, channels int) *squeezeTile {
	var best *squeezeTile
	for i := range squeezeTiles {
		t := &squeezeTiles[i]
		if t.isa <= isa && t.isa.Flip() == isa.Flip() && (t.masked || channels >= squeezeChannels) && (best == nil || t.isa > best.isa) {
			best = t
		}
	}
	return best
}

// Summer is Sums for one instruction set.
type Summer struct {
	tile *squeezeTile
	zero []int8
	flip int8 // of the tensor: ISA.Flip
}

// NewSummer chooses the kernel for a tensor with zero points zero, which are
// kept.
func NewSummer(isa ISA, zero []int8) Summer {
	return Summer{squeezeFor(isa, len(zero)), zero, isa.Flip()}
}

// ISA is the instruction set whose kernel was chosen.
func (s *Summer) ISA() ISA {
	if s.tile == nil {
		return Generic
	}
	return s.tile.isa
}

// Run is Sums: sum[c] = sum over pixels of (src[pixel][c] - zero[c]).
func (s *Summer) Run(sum []int32, src []int8, w *Workspace) {
	n := len(s.zero)
	clear(sum[:n])
	s.Add(sum, src, w)
	s.center(sum, len(src)/n)
}

// center takes the zero points out of sums over pixels pixels.
func (s *Summer) center(sum []int32, pixels int) {
	for c, z := range s.zero {
		sum[c] -= int32(pixels) * int32(z)
	}
}

// Add is sum[c] += sum over pixels of src[pixel][c], the int8 values: the zero
// points are not taken out. Parts of a tensor may be added one after the other,
// or each to sums of its own.
func (s *Summer) Add(sum []int32, src []int8, w *Workspace) {
	n := len(s.zero)
	sum = sum[:n]
	if s.tile == nil {
		addRows(sum, src, s.flip)
		return
	}
	pixels := len(src) / n
	if many := s.tile.together(n, pixels); many > 1 {
		t := &w.together
		clear(t.sum[:])
		used := pixels / many * many * n
		s.add(t.sum[:many*n], src[:used], w)
		for i, v := range t.sum[:many*n] {
			sum[i%n] += v
		}
		if src = src[used:]; len(src) == 0 {
			return
		}
	}
	s.add(sum, src, w)
}

// add is Add for pixels of as many channels as there are sums.
func (s *Summer) add(sum []int32, src []int8, w *Workspace) {
	n := len(sum)
	pixels := len(src) / n
	a := &w.squeeze
	whole, rest := n/squeezeChannels, n%squeezeChannels
	if s.tile.masked {
		whole, rest = 1, 0
	}
	each := max(1, callPixels/n)
	clear(w.tail[:])
	for p := 0; p < pixels; p += each {
		a.a, a.channels, a.pixels = unsafe.Pointer(&src[p*n]), n, min(each, pixels-p)
		a.first, a.blocks, a.sum = 0, whole, unsafe.Pointer(&sum[0])
		s.tile.sums(a)
		if rest > 0 { // of the last 16 channels the first were summed already
			a.first, a.blocks, a.sum = n-squeezeChannels, 1, unsafe.Pointer(&w.tail)
			s.tile.sums(a)
		}
	}
	for i := range rest {
		sum[n-rest+i] += w.tail[squeezeChannels-rest+i]
	}
}

// SqueezeExcitation is SqueezeExcite packed for one instruction set.
type SqueezeExcitation struct {
	SqueezeExcite
	summer          Summer
	tile            *squeezeTile
	reduce, expand  *GEMM   // of int16 inputs; nil for the portable kernel
	inZero, outZero []int32 // as the tensors are held
	flip            int8    // of the tensors: ISA.Flip
}

// PackSqueezeExcite chooses kernels for s and keeps its arrays.
func PackSqueezeExcite(isa ISA, s SqueezeExcite) *SqueezeExcitation {
	channels, squeezed := len(s.ScaleM), len(s.ReduceBias)
	return &SqueezeExcitation{
		SqueezeExcite: s,
		summer:        NewSummer(isa, s.InZero),
		tile:          squeezeFor(isa, channels),
		reduce:        packWide(isa, s.Reduce, s.ReduceBias, squeezed, channels, s.ReduceM),
		expand:        packWide(isa, s.Expand, s.ExpandBias, channels, squeezed, s.ExpandM),
		inZero:        held(s.InZero, isa),
		outZero:       held(s.OutZero, isa),
		flip:          isa.Flip(),
	}
}

// held is zero points of a tensor as isa holds it.
func held(zero []int8, isa ISA) []int32 {
	w := make([]int32, len(zero))
	for i, z := range zero {
		w[i] = int32(z) + int32(uint8(isa.Flip()))
	}
	return w
}

// packWide packs a layer with int16 inputs and float32 outputs; nil if the
// instruction set has no kernel for it.
func packWide(isa ISA, weight []int8, bias []int32, n, k int, multiplier []float32) *GEMM {
	tiles := family(wideTiles, isa, 1, n)
	if tiles == nil {
		return nil
	}
	m := &GEMM{K: k, N: n, mode: modeFloat, epilogue: &Epilogue{Multiplier: multiplier}}
	m.pack(tiles, weight, bias)
	return m
}

// wide is dst[o] = f32(bias[o] + sum_k weight[o][k] * x[k]) * m[o] for the outputs
// of some panels. x may be read up to a multiple of WideStep.
func (m *GEMM) wide(dst []float32, x []int16, first, end int, w *Workspace) {
	_, _ = dst[:m.N], x[:m.padded]
	m.runBlock(m.panels[first:end], unsafe.Pointer(&dst[0]), 4, unsafe.Pointer(&x[0]), 2*m.padded, nil, 0, 1, w)
}

// WideStep is what the vectors of SqueezeBuffers are padded to.
const WideStep = 8

// ISA is the lowest instruction set among the kernels that were chosen.
func (s *SqueezeExcitation) ISA() ISA {
	isas := []ISA{s.summer.ISA(), Generic, Generic}
	if s.reduce != nil {
		isas[1] = s.reduce.isa
	}
	if s.expand != nil {
		isas[2] = s.expand.isa
	}
	return slices.Min(isas)
}

// Run computes dst from src, both [pixels][C]: AddSums, Gate and Rescale.
func (s *SqueezeExcitation) Run(dst, src []int8, b *SqueezeBuffers, w *Workspace) {
	sum, gate := b.Sum[:len(s.ScaleM)], b.Gate[:len(s.ScaleM)]
	clear(sum)
	s.AddSums(sum, src, w)
	s.Gate(gate, sum, len(src)/len(gate), b, w)
	s.Rescale(dst, src, gate, w)
}

// AddSums is the squeeze: sum[c] += sum over pixels of src[pixel][c]. src is any
// pixels of the input, and all of them have to be added before Gate. A depthwise
// convolution can do it as well: DepthwiseConv.Rows.
func (s *SqueezeExcitation) AddSums(sum []int32, src []int8, w *Workspace) {
	s.summer.Add(sum, src, w)
}

// Gate computes the gate [C] of Rescale, k[c] * g[c] of equations 8 to 11, from
// the sums over all pixels, which it may overwrite. sum may be b.Sum, and gate
// b.Gate. It is Squeeze, ReducePart, Inner and ExpandPart; several threads can
// share the panels of a part.
func (s *SqueezeExcitation) Gate(gate []float32, sum []int32, pixels int, b *SqueezeBuffers, w *Workspace) {
	s.Squeeze(sum, pixels, b, w)
	s.ReducePart(b, 0, s.ReducePanels(), w)
	s.Inner(b, w)
	s.ExpandPart(gate, b, 0, s.ExpandPanels(), w)
}

// Squeeze makes b.Squeeze of the sums over all pixels, which it may overwrite.
func (s *SqueezeExcitation) Squeeze(sum []int32, pixels int, b *SqueezeBuffers, w *Workspace) {
	s.squeezed(b.Squeeze[:len(s.SqueezeM)], sum[:len(s.SqueezeM)], pixels, w)
}

// squeezed is equation 8.
func (s *SqueezeExcitation) squeezed(squeeze []int16, sum []int32, pixels int, w *Workspace) {
	if t := s.tile; t != nil && t.squeeze != nil {
		a := &w.squeeze
		a.channels, a.pixels = len(sum), pixels
		a.sum, a.inZero = unsafe.Pointer(&sum[0]), unsafe.Pointer(&s.inZero[0])
		a.m, a.v = unsafe.Pointer(&s.SqueezeM[0]), unsafe.Pointer(&squeeze[0])
		t.squeeze(a)
		return
	}
	s.summer.center(sum, pixels)
	for c, m := range s.SqueezeM {
		squeeze[c] = int16(min(max(round(float32(sum[c])*m), -maxInner), maxInner))
	}
}

// ReducePanels is the parts into which the outputs of the first layer can be
// divided.
func (s *SqueezeExcitation) ReducePanels() int { return panelsOf(s.reduce) }

// ExpandPanels is ReducePanels of the second layer.
func (s *SqueezeExcitation) ExpandPanels() int { return panelsOf(s.expand) }

func panelsOf(m *GEMM) int {
	if m == nil {
		return 1
	}
	return m.Panels()
}

// ReducePart computes some panels of the first layer, from b.Squeeze to b.Float.
// The kernels may read what pads b.Squeeze; its weights are 0.
func (s *SqueezeExcitation) ReducePart(b *SqueezeBuffers, first, end int, w *Workspace) {
	if s.reduce != nil {
		s.reduce.wide(b.Float, b.Squeeze, first, end, w)
		return
	}
	squeezed := len(s.ReduceBias)
	wideProduct(b.Sum[:squeezed], s.Reduce, s.ReduceBias, b.Squeeze[:len(s.SqueezeM)])
	Scale(b.Float[:squeezed], b.Sum, s.ReduceM)
}

// Inner rounds what ReducePart made to b.Inner.
func (s *SqueezeExcitation) Inner(b *SqueezeBuffers, w *Workspace) {
	s.innerRounded(b.Inner[:len(s.ReduceM)], b.Float[:len(s.ReduceM)], w)
}

// innerRounded is the end of equation 9.
func (s *SqueezeExcitation) innerRounded(inner []int16, float []float32, w *Workspace) {
	if t := s.tile; t != nil && t.inner != nil {
		a := &w.squeeze
		a.channels, a.m, a.v = len(float), unsafe.Pointer(&float[0]), unsafe.Pointer(&inner[0])
		t.inner(a)
		return
	}
	for j, v := range float {
		inner[j] = int16(min(max(round(v), 0), maxInner))
	}
}

// ExpandPart computes some panels of the second layer, from b.Inner by way of
// b.Float, and their part of the gate: equation 10.
func (s *SqueezeExcitation) ExpandPart(gate []float32, b *SqueezeBuffers, first, end int, w *Workspace) {
	from, to := 0, len(s.ScaleM)
	if s.expand != nil {
		from, to = s.expand.columns(first, end)
		s.expand.wide(b.Float, b.Inner, first, end, w)
	} else {
		wideProduct(b.Sum[:to], s.Expand, s.ExpandBias, b.Inner[:len(s.ReduceM)])
		Scale(b.Float[:to], b.Sum, s.ExpandM)
	}
	s.gated(gate, b.Float, from, to, w)
}

// gated is equation 10, times the step of the output, for channels from to to.
func (s *SqueezeExcitation) gated(gate, float []float32, from, to int, w *Workspace) {
	gate, float, scale := gate[from:to], float[from:to], s.ScaleM[from:to]
	if len(gate) == 0 {
		return
	}
	if t := s.tile; t != nil && t.gate != nil && !s.Sigmoid {
		a := &w.squeeze
		a.channels, a.m = len(float), unsafe.Pointer(&float[0])
		a.gate, a.f = unsafe.Pointer(&scale[0]), unsafe.Pointer(&gate[0])
		t.gate(a)
		return
	}
	for c, v := range float {
		g := float32(0)
		if s.Sigmoid {
			g = Sigmoid(v)
		} else {
			g = clampUnit(v + 0.5)
		}
		gate[c] = scale[c] * g
	}
}

// columns are the outputs of panels first to end that no panel before has.
func (m *GEMM) columns(first, end int) (from, to int) {
	if first > 0 {
		from = m.panels[first-1].first + m.panels[first-1].width
	}
	if end > 0 {
		to = m.panels[end-1].first + m.panels[end-1].width
	}
	return from, to
}

// Rescale is equation 11: dst = sat8(rne(f32(src - z_x[c]) * gate[c]) + z_y[c]),
// for any pixels. src and dst are [pixels][C] and must not overlap.
func (s *SqueezeExcitation) Rescale(dst, src []int8, gate []float32, w *Workspace) {
	if s.tile == nil {
		rescale(dst, src, s.InZero, s.OutZero, gate, s.flip)
		return
	}
	n := len(gate)
	pixels := len(src) / n
	_ = dst[:pixels*n]
	many := s.tile.together(n, pixels)
	if many == 1 {
		s.tile.scale(dst, src[:pixels*n], gate, s.inZero, s.outZero, w)
		return
	}
	t := &w.together
	for i := 0; i < many*n; i += n {
		copy(t.gate[i:], gate)
		copy(t.inZero[i:], s.inZero)
		copy(t.outZero[i:], s.outZero)
	}
	gate, inZero, outZero := t.gate[:many*n], t.inZero[:many*n], t.outZero[:many*n]
	used := pixels / many * many * n
	s.tile.scale(dst, src[:used], gate, inZero, outZero, w)
	if end := pixels * n; used < end { // some pixels are scaled twice
		last := end - many*n
		s.tile.scale(dst[last:], src[last:end], gate, inZero, outZero, w)
	}
}

// scale is Rescale for pixels of as many channels as the gate has.
func (t *squeezeTile) scale(dst, src []int8, gate []float32, inZero, outZero []int32, w *Workspace) {
	n := len(gate)
	pixels := len(src) / n
	a := &w.squeeze
	a.channels, a.first, a.last = n, 0, n-squeezeChannels
	a.blocks = (n + squeezeChannels - 1) / squeezeChannels
	a.gate, a.inZero, a.outZero = unsafe.Pointer(&gate[0]), unsafe.Pointer(&inZero[0]), unsafe.Pointer(&outZero[0])
	each := max(1, callPixels/n)
	for p := 0; p < pixels; p += each {
		a.a, a.c, a.pixels = unsafe.Pointer(&src[p*n]), unsafe.Pointer(&dst[p*n]), min(each, pixels-p)
		t.rescale(a)
	}
}

// pad is n up to a multiple of step.
func pad(n, step int) int { return (n + step - 1) / step * step }
