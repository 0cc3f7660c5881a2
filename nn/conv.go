package nn

import "fmt"

// Padding is the number of rows and columns added on each side, so that "same"
// padding, asymmetric at stride 2 and even sizes, is representable.
type Padding struct {
	Top    int `json:"top"`
	Left   int `json:"left"`
	Bottom int `json:"bottom"`
	Right  int `json:"right"`
}

// Pad returns the same padding on all four sides, as PyTorch pads.
func Pad(n int) Padding { return Padding{n, n, n, n} }

// Window is the geometry of a convolution.
type Window struct {
	In        int     `json:"in"`  // input channels
	Out       int     `json:"out"` // output channels
	KernelH   int     `json:"kernel_h"`
	KernelW   int     `json:"kernel_w"`
	StrideH   int     `json:"stride_h"`
	StrideW   int     `json:"stride_w"`
	DilationH int     `json:"dilation_h"`
	DilationW int     `json:"dilation_w"`
	Groups    int     `json:"groups"`
	Padding   Padding `json:"padding"`
}

// Depthwise reports whether every channel is filtered by itself, one to one.
func (w Window) Depthwise() bool { return w.Groups == w.In && w.In == w.Out }

// Pointwise reports whether the convolution is a plain matrix product per pixel.
func (w Window) Pointwise() bool {
	return w.KernelH == 1 && w.KernelW == 1 && w.StrideH == 1 && w.StrideW == 1 && w.Groups == 1 && w.Padding == Padding{}
}

// WeightShape is [Out][KernelH][KernelW][In/Groups].
func (w Window) WeightShape() []int { return []int{w.Out, w.KernelH, w.KernelW, w.In / w.Groups} }

// Taps is the number of weights of one output channel.
func (w Window) Taps() int { return w.KernelH * w.KernelW * w.In / w.Groups }

// Infer returns the output's shape for an input of shape s.
func (w Window) Infer(s Shape) (Shape, error) {
	for _, f := range []struct {
		name string
		n    int
	}{
		{"in", w.In}, {"out", w.Out}, {"kernel", w.KernelH}, {"kernel", w.KernelW}, {"stride", w.StrideH},
		{"stride", w.StrideW}, {"dilation", w.DilationH}, {"dilation", w.DilationW}, {"groups", w.Groups},
	} {
		if f.n < 1 || f.n > maxDim {
			return Shape{}, fmt.Errorf("convolution's %s is %d, want 1 to %d", f.name, f.n, maxDim)
		}
	}
	p := w.Padding
	for _, n := range []int{p.Top, p.Left, p.Bottom, p.Right} {
		if n < 0 || n > maxDim {
			return Shape{}, fmt.Errorf("convolution's padding is %d, want 0 to %d", n, maxDim)
		}
	}
	if s.C != w.In {
		return Shape{}, fmt.Errorf("convolution wants %d input channels, got %s", w.In, s)
	}
	if w.In%w.Groups != 0 || w.Out%w.Groups != 0 {
		return Shape{}, fmt.Errorf("convolution's %d groups do not divide its %d input and %d output channels", w.Groups, w.In, w.Out)
	}
	// In 64 bits: these products wrap round in the int of a 32-bit CPU.
	if n := int64(w.KernelH) * int64(w.KernelW); n > maxElements || n*int64(w.In/w.Groups)*int64(w.Out) > maxElements {
		return Shape{}, fmt.Errorf("convolution has more than %d weights: %v", maxElements, w.WeightShape())
	}
	h := int64(s.H+p.Top+p.Bottom) - int64(w.KernelH-1)*int64(w.DilationH) - 1
	x := int64(s.W+p.Left+p.Right) - int64(w.KernelW-1)*int64(w.DilationW) - 1
	if h < 0 || x < 0 {
		return Shape{}, fmt.Errorf("convolution's %dx%d kernel with dilation %dx%d does not fit into its %s input", w.KernelH, w.KernelW, w.DilationH, w.DilationW, s)
	}
	return Shape{int(h)/w.StrideH + 1, int(x)/w.StrideW + 1, w.Out}, nil
}

// MACs counts every tap, those that fall on padding too.
func (w Window) MACs(out Shape) int64 { return int64(out.Len()) * int64(w.Taps()) }

// Conv2D is a two-dimensional convolution. Dense, grouped and depthwise ones
// are the same operation.
type Conv2D struct {
	Window
	HasBias bool      `json:"bias"`
	Weight  []float32 `json:"-"` // [Out][KernelH][KernelW][In/Groups]
	Bias    []float32 `json:"-"` // [Out]
}

// Kind returns "conv2d".
func (*Conv2D) Kind() string { return "conv2d" }

// Infer wants one input of Window.In channels.
func (c *Conv2D) Infer(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("convolution wants 1 input, got %d", len(in))
	}
	return c.Window.Infer(in[0])
}

// Params are weight and, if the convolution has one, bias.
func (c *Conv2D) Params() []Param {
	p := []Param{{Name: "weight", Shape: c.WeightShape(), Data: &c.Weight}}
	if c.HasBias {
		p = append(p, Param{Name: "bias", Shape: []int{c.Out}, Data: &c.Bias})
	}
	return p
}

// MACs counts output elements times taps.
func (c *Conv2D) MACs(_ []Shape, out Shape) int64 { return c.Window.MACs(out) }

func (c *Conv2D) forward(in []Tensor, out Tensor, _ *scratch) {
	switch {
	case c.Pointwise():
		var bias []float32
		if c.HasBias {
			bias = c.Bias
		}
		matmul(in[0].Data, c.Weight, bias, out.Data, out.H*out.W, c.In, c.Out)
	case c.Depthwise():
		c.forwardDepthwise(in[0], out)
	default:
		c.forwardGeneral(in[0], out)
	}
}

func (c *Conv2D) bias(o int) float32 {
	if c.HasBias {
		return c.Bias[o]
	}
	return 0
}

// matmul computes out[m][o] = bias[o] + sum_k in[m][k] * weight[o][k], four
// outputs at a time so that the additions do not wait for each other.
func matmul(in, weight, bias, out []float32, rows, depth, width int) {
	for m := range rows {
		x := in[m*depth : (m+1)*depth]
		y := out[m*width : (m+1)*width]
		o := 0
		for ; o+4 <= width; o += 4 {
			w0, w1 := weight[o*depth:][:len(x)], weight[(o+1)*depth:][:len(x)]
			w2, w3 := weight[(o+2)*depth:][:len(x)], weight[(o+3)*depth:][:len(x)]
			var a0, a1, a2, a3 float32
			for k, v := range x {
				a0 += v * w0[k]
				a1 += v * w1[k]
				a2 += v * w2[k]
				a3 += v * w3[k]
			}
			y[o], y[o+1], y[o+2], y[o+3] = a0, a1, a2, a3
		}
		for ; o < width; o++ {
			w := weight[o*depth:][:len(x)]
			var a float32
			for k, v := range x {
				a += v * w[k]
			}
			y[o] = a
		}
		if bias != nil {
			for o := range y {
				y[o] += bias[o]
			}
		}
	}
}

func (c *Conv2D) forwardDepthwise(in, out Tensor) {
	taps := c.KernelH * c.KernelW
	for y := range out.H {
		for x := range out.W {
			to := out.Data[(y*out.W+x)*c.Out:][:c.Out]
			for o := range to {
				to[o] = c.bias(o)
			}
			for i := range c.KernelH {
				sy := y*c.StrideH + i*c.DilationH - c.Padding.Top
				if sy < 0 || sy >= in.H {
					continue
				}
				for j := range c.KernelW {
					sx := x*c.StrideW + j*c.DilationW - c.Padding.Left
					if sx < 0 || sx >= in.W {
						continue
					}
					from := in.Data[(sy*in.W+sx)*c.In:][:len(to)]
					w := c.Weight[i*c.KernelW+j:]
					for o, v := range from {
						to[o] += v * w[o*taps]
					}
				}
			}
		}
	}
}

func (c *Conv2D) forwardGeneral(in, out Tensor) {
	perGroup, outPerGroup := c.In/c.Groups, c.Out/c.Groups
	for y := range out.H {
		for x := range out.W {
			for o := range c.Out {
				group := o / outPerGroup
				sum := c.bias(o)
				for i := range c.KernelH {
					sy := y*c.StrideH + i*c.DilationH - c.Padding.Top
					if sy < 0 || sy >= in.H {
						continue
					}
					for j := range c.KernelW {
						sx := x*c.StrideW + j*c.DilationW - c.Padding.Left
						if sx < 0 || sx >= in.W {
							continue
						}
						from := in.Data[(sy*in.W+sx)*c.In+group*perGroup:][:perGroup]
						w := c.Weight[((o*c.KernelH+i)*c.KernelW+j)*perGroup:][:perGroup]
						for k, v := range from {
							sum += v * w[k]
						}
					}
				}
				out.Data[(y*out.W+x)*c.Out+o] = sum
			}
		}
	}
}
