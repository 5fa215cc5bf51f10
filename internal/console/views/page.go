package views

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"samla/internal/console"
	"samla/internal/fault"
	"samla/internal/pages/look"
	"samla/internal/store"
)

// page is what every template of a view gets.
type page struct {
	Title, Lead string
	Crumb       link   // the list that the page belongs to; no text = none
	At          string // when it was made
	Query       string // that was searched for
	Still       bool   // it is not kept fresh
	Periods     []link
	Tabs        []link
	Note        *note // the answer in a sentence
	Filters     []filter
	Acts        []act
	Tables      []table
	Data        any
	Operator    string
	Acting      bool // the operator may act
	Admin       bool
}

// link is a link with a text; Current marks where one is.
type link struct {
	Text, Address string
	Current       bool
}

// note is a sentence with what follows from it.
type note struct {
	Well         bool
	Strong, Text string
	Links        []link
}

// act is a form with one button, or a link to the page that asks first.
type act struct {
	Action, Label string
	Link          string // in place of Action
	Hidden        string // said after the label, not shown
	Kind          string // of the button; "" = side
	Fields        []field
}

// field is a hidden member of a form.
type field struct{ Name, Value string }

// filter is a choice of a list; without options it is typed.
type filter struct {
	Name, Label string
	Options     []option
	Type, Value string // of what is typed: "date" or "text"
}

type option struct {
	Value, Text string
	Chosen      bool
}

// table is a list in a panel.
type table struct {
	ID, Title, Side, Caption string
	Heads                    []look.Head
	Rows                     [][]cell
	Empty                    string // what is said in place of no rows
	Next, First              string // addresses of pages; "" = none
	NextText                 string // "" = "Next page"
	Acts                     []act
}

// cell is a cell of a table.
type cell struct {
	Text, Sub string
	Href      string
	Mono      bool
	When      bool   // a time: it stays on one line
	Chip      string // "bad", "warn", "good", "plain"; "" = no chip
	Icon      string
	Tile      string // id that tints a tile with the first letters of Text; "" = no tile
	Hidden    string // said in place of a dash
	Picture   template.HTML
	Acts      []act
}

func text(s string) cell { return cell{Text: s} }

// id is a cell with an id of ours.
func id(s, href string) cell {
	if s == "" {
		return none("none")
	}
	return cell{Text: s, Href: href, Mono: true}
}

// none is a dash, with what it means.
func none(means string) cell { return cell{Text: "–", Hidden: means} }

// heads makes columns; those with a name that ends with > are aligned to the right.
func heads(names ...string) (all []look.Head) {
	for _, n := range names {
		h := look.Head{Text: n}
		if n != "" && n[len(n)-1] == '>' {
			h.Text, h.Right = n[:len(n)-1], true
		}
		all = append(all, h)
	}
	return all
}

// show answers with a page of a template.
func (v *views) show(w http.ResponseWriter, r *http.Request, view, content string, p page) {
	o := console.OperatorOf(r.Context())
	p.Operator, p.Acting, p.Admin = o.Name, o.Role.May("act"), o.Role.May("administer")
	p.At = v.Clock.Now().In(v.Zone).Format(time.TimeOnly)
	p.Query = r.URL.Query().Get("q")
	console.Render(w, r, kit, look.Page{Content: content, View: view, Title: p.Title, Data: p, Scripts: []string{assets.Address("live.js")}})
}

// missing reports whether an error says that there is no such row.
func missing(err error) bool {
	var f *fault.Fault
	return errors.Is(err, store.ErrNotFound) || errors.As(err, &f) && fault.Of(f.Code).Status == http.StatusNotFound
}

// gone answers for a row that there is not.
func gone(w http.ResponseWriter, r *http.Request, what string) {
	console.Message(w, r, http.StatusNotFound, "There is no such "+what, "The address is wrong, or it was erased or is too old to be kept.")
}
