package preprocess

import "fmt"

// filter is a resampling kernel: zero from support on, symmetric.
type filter struct {
	support float64
	at      func(x float64) float64
}

func filterNamed(name string) (filter, error) {
	switch name {
	case Bilinear:
		return filter{1, triangle}, nil
	case Bicubic:
		return filter{2, cubic}, nil
	}
	return filter{}, fmt.Errorf("%w: interpolation is %q; want %q or %q", ErrSpec, name, Bilinear, Bicubic)
}

// triangle is 1 - |x| for |x| < 1.
func triangle(x float64) float64 {
	if x < 0 {
		x = -x
	}
	if x < 1 {
		return 1 - x
	}
	return 0
}

// cubic is Keys's cubic convolution with a = -0.5. The conversions keep every
// product rounded on its own: a fused multiply-add could change a coefficient.
func cubic(x float64) float64 {
	const a = -0.5
	if x < 0 {
		x = -x
	}
	if x < 1 {
		return float64(float64(float64(float64((a+2)*x)-(a+3))*x)*x) + 1
	}
	if x < 2 {
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}
