package preprocess

import "image"

// orient turns and mirrors img as EXIF orientation o asks, 2 to 8. The names say
// where the stored first row and first column belong in the upright picture.
func orient(img image.Image, o int) (image.Image, error) {
	var src source
	if err := src.set(img); err != nil {
		return nil, err
	}
	w, h := src.w, src.h
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}

	// The stored pixel (x, y) goes to out.Pix[origin + x*dx + y*dy].
	px, row := 4, out.Stride
	var origin, dx, dy int
	switch o {
	case 2: // top, right: mirrored
		origin, dx, dy = (w-1)*px, -px, row
	case 3: // bottom, right: upside down
		origin, dx, dy = (h-1)*row+(w-1)*px, -px, -row
	case 4: // bottom, left
		origin, dx, dy = (h-1)*row, px, -row
	case 5: // left, top: transposed
		origin, dx, dy = 0, row, px
	case 6: // right, top: a quarter turn clockwise makes it upright
		origin, dx, dy = (h-1)*px, row, -px
	case 7: // right, bottom
		origin, dx, dy = (w-1)*row+(h-1)*px, -row, -px
	case 8: // left, bottom: a quarter turn anticlockwise
		origin, dx, dy = (w-1)*row, -row, px
	default: // top, left
		origin, dx, dy = 0, px, row
	}

	line := make([]byte, 3*w)
	for y := range h {
		src.read(line, y, 0)
		at := origin + y*dy
		for x := 0; x+3 <= len(line); x += 3 {
			p := out.Pix[at : at+4 : at+4]
			p[0], p[1], p[2], p[3] = line[x], line[x+1], line[x+2], 255
			at += dx
		}
	}
	return out, src.check()
}
