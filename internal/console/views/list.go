package views

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"samla/internal/client"
	"samla/internal/store"
)

// pageSize is how many rows a page of a list has.
const pageSize = 50

// asked is what lists of rows of all clients need of a request.
type asked struct {
	*http.Request
	query   url.Values
	filter  store.RowFilter
	clients []client.Client
	names   map[string]string // of clients, by their ids
}

func (v *views) asked(r *http.Request) (a asked, err error) {
	a = asked{Request: r, query: r.URL.Query()}
	a.filter = filterOf(a.query)
	a.names, a.clients, err = v.names(r)
	return a, err
}

// answer shows the page that a function makes, or says that it did not work.
func (v *views) answer(view, content string, of func(asked) (page, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := v.asked(r)
		if err != nil {
			failed(w, r, err)
			return
		}
		p, err := of(a)
		if err != nil {
			failed(w, r, err)
			return
		}
		v.show(w, r, view, content, p)
	}
}

// listed is the page of a list that a request asks for. read reads it from a place on, the
// empty place is its beginning; place is where the page after a row begins; fill makes the
// table. One row more than is shown is read: it says whether there is a next page.
func listed[R any](r *http.Request, read func(after string, limit int) ([]R, error), place func(R) string, fill func([]R) table) (table, error) {
	all, err := read(r.URL.Query().Get("after"), pageSize+1)
	if err != nil {
		return table{}, err
	}
	shown := all[:min(len(all), pageSize)]
	t := fill(shown)
	if len(shown) > 0 {
		t.Next, t.First = nextPage(r, len(all), place(shown[len(shown)-1]))
	}
	return t, nil
}

// rowsOf reads rows of the store that the filter of a request fits.
func rowsOf[R any](a asked, read func(context.Context, store.RowFilter, store.Page) ([]R, error)) func(string, int) ([]R, error) {
	return func(after string, limit int) ([]R, error) {
		return read(a.Context(), a.filter, store.Page{After: after, Limit: limit})
	}
}

// names are the names of clients by their ids.
func (v *views) names(r *http.Request) (names map[string]string, all []client.Client, err error) {
	all, err = v.Store.Clients(r.Context())
	names = make(map[string]string, len(all))
	for _, c := range all {
		names[c.ID] = c.Name
	}
	return names, all, err
}

func clientFilter(all []client.Client, chosen string) filter {
	f := filter{Name: "client", Label: "Client", Options: []option{{Text: "All clients"}}}
	for _, c := range all {
		f.Options = append(f.Options, option{c.ID, c.Name, c.ID == chosen})
	}
	return f
}

func (v *views) companyFilter(chosen string) filter {
	f := filter{Name: "company", Label: "Institution", Options: []option{{Text: "All institutions"}}}
	for _, i := range v.Institutions.All() {
		f.Options = append(f.Options, option{i.Company.ID, i.Company.DisplayName, i.Company.ID == chosen})
	}
	return f
}

func statusFilter[S ~string](label string, all []S, chosen string) filter {
	f := filter{Name: "status", Label: label, Options: []option{{Text: "All"}}}
	for _, s := range all {
		f.Options = append(f.Options, option{string(s), string(s), string(s) == chosen})
	}
	return f
}

// filterOf reads the filter of a list from its address.
func filterOf(q url.Values) store.RowFilter {
	f := store.RowFilter{ClientID: q.Get("client"), Company: q.Get("company"), UserID: q.Get("user")}
	if s := q.Get("status"); s != "" {
		f.In = []string{s}
	}
	return f
}

// nextPage returns the address of the next page and of the first one. There is a next page
// if the list is longer than pageSize: lists are read with one row more.
func nextPage(r *http.Request, rows int, last string) (next, first string) {
	q := r.URL.Query()
	if q.Get("after") != "" {
		begin := cloned(q)
		begin.Del("after")
		first = withQuery(r.URL.Path, begin)
	}
	if rows > pageSize {
		q.Set("after", last)
		next = withQuery(r.URL.Path, q)
	}
	return next, first
}

func cloned(q url.Values) url.Values {
	c := url.Values{}
	for name, values := range q {
		c[name] = values
	}
	return c
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// moment is a place in a list that is ordered by time, as the address has it.
func moment(after string) (m store.Moment) {
	for i := range len(after) {
		if after[i] == '.' {
			if us, err := strconv.ParseInt(after[:i], 10, 64); err == nil {
				m.At = time.UnixMicro(us).UTC()
			}
			m.ID = after[i+1:]
			break
		}
	}
	return m
}

func placeOf(at time.Time, id string) string { return strconv.FormatInt(at.UnixMicro(), 10) + "." + id }
