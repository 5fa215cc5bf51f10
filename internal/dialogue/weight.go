package dialogue

// usualWeight is about what a state of a usual login takes in memory, with the picture of
// its QR code, in bytes.
const usualWeight = 4 << 10

// Weight returns about how many bytes the state takes in memory. Nearly all of a heavy one
// are in its turn.
func (s State) Weight() int {
	weight := usualWeight + s.Turn.weight()
	for _, ids := range [][]string{s.Asked, s.Answered} {
		weight += lengths(ids...)
	}
	return weight
}

func (t Turn) weight() (weight int) {
	if w := t.Wait; w != nil {
		weight += lengths(w.AutoStartToken, w.QRText, w.QRSecret, w.QRStartToken, w.QRImage, w.ReferenceNumber, w.URL, w.Message)
	}
	if a := t.Ask; a != nil {
		weight += lengths(a.Question, a.Message, a.ResponseType) + lengths(a.Inputs...)
		for _, c := range a.Choices {
			weight += lengths(c.ID, c.Name)
		}
	}
	if d := t.Device; d != nil {
		weight += lengths(d.Question, d.Request.URL, d.Request.Method, d.Request.Etag, d.Request.Body)
		for name, value := range d.Request.Headers {
			weight += lengths(name, value)
		}
		for _, c := range d.Request.Cookies {
			weight += lengths(c.Name, c.Value, c.Domain, c.Path)
		}
	}
	return weight
}

func lengths(texts ...string) (sum int) {
	for _, text := range texts {
		sum += len(text)
	}
	return sum
}
