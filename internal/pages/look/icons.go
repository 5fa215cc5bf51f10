package look

import (
	"hash/fnv"
	"html/template"
	"strconv"
	"strings"
	"unicode"
)

// icons are drawn with strokes in a square of 20. No icon stands without a word.
var icons = map[string]string{
	"bad":         `<circle cx="10" cy="10" r="7.25"/><path d="M10 6v4.5M10 13.5v.1"/>`,
	"check":       `<path d="m4.5 10.5 3.5 3.5 7.5-8"/>`,
	"chevron":     `<path d="m8 4.5 5.5 5.5L8 15.5"/>`,
	"clock":       `<circle cx="10" cy="10" r="7"/><path d="M10 6v4l2.5 2"/>`,
	"cross":       `<path d="m5.5 5.5 9 9m0-9-9 9"/>`,
	"download":    `<path d="M10 3.5v9m-4-3.5 4 4 4-4M4 16.5h12"/>`,
	"erase":       `<path d="M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6"/>`,
	"info":        `<circle cx="10" cy="10" r="7.25"/><path d="M10 9.5V14M10 6.4v.1"/>`,
	"institution": `<path d="M3.5 8 10 4l6.5 4M4.5 16.5h11M6 8.5v6m4-6v6m4-6v6"/>`,
	"offline":     `<path d="M3 3l14 14M5 9.5a7.5 7.5 0 0 1 3-1.8m4 .1a7.5 7.5 0 0 1 3 1.7M7.5 12.5a4 4 0 0 1 5 0M10 15.5v.1"/>`,
	"pen":         `<path d="M4 16l.8-3.2L13.5 4.1a1.4 1.4 0 0 1 2 0l.4.4a1.4 1.4 0 0 1 0 2L7.2 15.2zM12 5.6l2.4 2.4"/>`,
	"person":      `<circle cx="10" cy="6.75" r="3"/><path d="M4 16.5c.7-3.3 3-5 6-5s5.3 1.7 6 5"/>`,
	"phone":       `<rect x="6" y="2.5" width="8" height="15" rx="1.75"/><path d="M9 15h2"/>`,
	"qr":          `<path d="M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h2v2h-2zM16.5 11.5v2M14.5 16.5h2v-1M11.5 16.5v-1"/>`,
	"samla":       `<path d="M3 5h3.5C10 5 10 10 13 10h4M3 10h14M3 15h3.5C10 15 10 10 13 10"/>`,
	"search":      `<circle cx="9" cy="9" r="5.25"/><path d="m13 13 4 4"/>`,
	"spin":        `<path d="M10 3a7 7 0 1 1-6.6 4.6"/>`,
	"wait":        `<circle cx="10" cy="10" r="2.5"/>`,
	"warn":        `<path d="M10 3.5 2.5 16.5h15zM10 8.5V12M10 14.25v.1"/>`,
	"wrench":      `<path d="M13.5 3.5a4 4 0 0 0-4.7 5.2l-5 5a1.400 1.400 0 0 0 2.5 2.5l5-5a4 4 0 0 0 5.2-4.7l-2.300 2.300-2-.5-.5-2z"/>`,
}

// icon returns an icon; class replaces "i" ("i i-s" is a small one).
func icon(name string, class ...string) template.HTML {
	drawing, ok := icons[name]
	if !ok {
		panic("look: there is no icon " + name) // html/template turns it into an error
	}
	of := "i"
	if len(class) > 0 {
		of = template.HTMLEscapeString(class[0])
	}
	return template.HTML(`<svg class="` + of + `" viewBox="0 0 20 20" aria-hidden="true">` + drawing + `</svg>`) //nolint:gosec // constants, and an escaped class
}

// mark is the mark of Samla, in a square of pixels.
func mark(size int) template.HTML {
	s := strconv.Itoa(size)
	return template.HTML(`<svg width="` + s + `" height="` + s + `" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" aria-hidden="true"><path d="M3 5h3c6 0 5 7 11 7h4M3 12h18M3 19h3c6 0 5-7 11-7"/></svg>`) //nolint:gosec // a number
}

// Initials returns the first two letters of a name, the first a capital.
func Initials(name string) string {
	var two []rune
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			two = append(two, r)
		}
		if len(two) == 2 {
			break
		}
	}
	if len(two) == 0 {
		return "–"
	}
	two[0] = unicode.ToUpper(two[0])
	if len(two) > 1 {
		two[1] = unicode.ToLower(two[1])
	}
	return string(two)
}

// tile stands for a logo: two letters on one of four grounds. The ground depends on an id,
// or on the name.
func tile(name string, more ...string) template.HTML {
	id, class := name, "tile"
	for i, m := range more {
		if i == 0 && m != "" {
			id = m
		} else if i == 1 {
			class += " " + m
		}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(id)))
	class += " tile-" + strconv.Itoa(int(h.Sum32()%4)+1)
	return template.HTML(`<span class="` + template.HTMLEscapeString(class) + `" aria-hidden="true">` + template.HTMLEscapeString(Initials(name)) + `</span>`) //nolint:gosec // escaped
}
