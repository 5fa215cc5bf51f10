package qr

import "sync"

// Drawing is the picture of one text. It is drawn once, when it is first wanted, without
// a lock that others wait for. It is safe for concurrent use.
type Drawing struct {
	Text string
	Draw func(text string) (string, error) // nil: PNG

	once sync.Once
	png  string
}

// Image returns the picture as PNG in base64, or "" if the text does not fit into a code.
func (d *Drawing) Image() string {
	d.once.Do(func() {
		draw := d.Draw
		if draw == nil {
			draw = PNG
		}
		d.png, _ = draw(d.Text)
	})
	return d.png
}
