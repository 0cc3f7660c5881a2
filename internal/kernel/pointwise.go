package kernel

// TileRows is the number of pixels whose accumulators are held at once.
const TileRows = 8

// Pointwise is a convolution with a 1x1 kernel and stride 1, or any product of
// rows and a matrix: equations 2 to 5. src is [pixels][K], dst and residual (if
// the epilogue has one) are [pixels][N], acc holds TileRows*N.
func Pointwise(dst, src, residual []int8, pixels int, m *Matrix, e *Epilogue, acc []int32) {
	for p := 0; p < pixels; p += TileRows {
		rows := min(TileRows, pixels-p)
		m.Accumulate(acc, m.N, src[p*m.K:], m.K, rows)
		e.applyRows(dst, residual, p, rows, acc)
	}
}

// applyRows applies the epilogue to rows pixels from pixel p on; acc is
// [rows][channels].
func (e *Epilogue) applyRows(dst, residual []int8, p, rows int, acc []int32) {
	n := len(e.Multiplier)
	for r := range rows {
		at := (p + r) * n
		var from []int8
		if residual != nil {
			from = residual[at : at+n]
		}
		e.Apply(dst[at:at+n], acc[r*n:(r+1)*n], from)
	}
}

// Logits is a fully connected layer with float32 output, equation 6. src is
// [K], dst and multiplier are [N], acc holds N.
func Logits(dst []float32, src []int8, m *Matrix, multiplier []float32, acc []int32) {
	m.Accumulate(acc, m.N, src, m.K, 1)
	for o := range dst {
		dst[o] = float32(acc[o]) * multiplier[o]
	}
}
