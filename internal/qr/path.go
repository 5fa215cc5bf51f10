package qr

import "strconv"

// Path returns the dark modules of the code of a text as the data of one SVG path, in
// modules with the quiet zone, and the side of the picture. Errors: ErrTooLong.
func Path(text string) (data string, side int, err error) {
	c, err := encode(text)
	if err != nil {
		return "", 0, err
	}
	var b []byte
	for y := range c.size {
		for x := 0; x < c.size; x++ {
			run := 0
			for x+run < c.size && c.dark(x+run, y) {
				run++
			}
			if run == 0 {
				continue
			}
			b = strconv.AppendInt(append(b, 'M'), int64(x+border), 10)
			b = strconv.AppendInt(append(b, ' '), int64(y+border), 10)
			b = strconv.AppendInt(append(b, 'h'), int64(run), 10)
			b = strconv.AppendInt(append(b, "v1h-"...), int64(run), 10)
			b = append(b, 'z')
			x += run
		}
	}
	return string(b), c.size + 2*border, nil
}
