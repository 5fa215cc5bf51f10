package views

import "net/http"

// filterNames are the members of an address that filter a list.
var filterNames = []string{"client", "company", "user", "status"}

// fewerFilters says what makes a list quicker to read: a filter that few rows fit makes the
// store look at many until a page is full.
func fewerFilters(r *http.Request) (text, address string) {
	q := r.URL.Query()
	for _, name := range filterNames {
		if q.Get(name) != "" {
			return "A filter that few rows fit makes it look through many. Leave a filter out, or search for the id of what you look for.", r.URL.Path
		}
	}
	return "", ""
}

// lessTime says that a shorter time makes a page quicker to read, if there is one.
func lessTime(of []period) func(*http.Request) (text, address string) {
	return func(r *http.Request) (text, address string) {
		p, links := choosePeriod(r, of)
		if p == of[0] {
			return "", ""
		}
		return "Choose a shorter time, such as " + of[0].Name + ".", links[0].Address
	}
}
