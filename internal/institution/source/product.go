package source

import (
	"encoding/json"

	"samla/internal/deviation"
	"samla/internal/product"
)

// product adds a product of the page.
func (p *Page) product(i int, raw json.RawMessage) {
	at := pointerTo("products", i)
	if len(raw) > maxProduct {
		p.problem(at, deviation.UnreadableProduct, "has more than 1 MiB")
		return
	}
	read, report := product.FromSource(raw)
	p.Deviations.Merge(report.Counts)
	for _, found := range report.Problems {
		found.Pointer = at + found.Pointer
		p.note(found)
	}
	if read != nil {
		p.Facts.Products = append(p.Facts.Products, read)
	}
}
