package visitor

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page is what a person sees on a page.
type page struct {
	says      string // the texts that are meant for the person's attention, or the heading
	forms     []form
	autoStart string // token of the BankID order that the page shows
	reloads   bool   // the page asks to be loaded again
	after     time.Duration
	reloadTo  string // empty: the same address
}

type form struct {
	action  string
	buttons []field
	inputs  []field
}

type field struct {
	name, value string
	choice      bool // a checkbox
	checked     bool
}

const autoStartURL = "bankid:///?"

// parse reads a page. It understands the HTML that the banks of the sandbox write, which
// closes what it opens.
func parse(r io.Reader) (page, error) {
	d := xml.NewDecoder(r)
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var p page
	var heading, notice []string
	var open []string // names of open elements
	noticeAt := -1
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return page{}, fmt.Errorf("visitor: a page that cannot be parsed: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			open = append(open, t.Name.Local)
			if role := attribute(t, "role"); noticeAt < 0 && (role == "alert" || role == "status") {
				noticeAt = len(open)
			}
			p.element(t)
		case xml.EndElement:
			if len(open) == noticeAt {
				noticeAt = -1
			}
			open = open[:max(0, len(open)-1)]
		case xml.CharData:
			text := strings.Join(strings.Fields(string(t)), " ")
			switch {
			case text == "" || len(open) == 0:
			case noticeAt >= 0:
				notice = append(notice, text)
			case open[len(open)-1] == "h1" || open[len(open)-1] == "h2":
				heading = append(heading, text)
			}
		}
	}
	p.says = strings.Join(append(heading, notice...), ": ")
	return p, nil
}

func (p *page) element(t xml.StartElement) {
	switch t.Name.Local {
	case "meta":
		if strings.EqualFold(attribute(t, "http-equiv"), "refresh") {
			p.refresh(attribute(t, "content"))
		}
	case "a":
		if query, ok := strings.CutPrefix(attribute(t, "href"), autoStartURL); ok {
			if v, err := url.ParseQuery(query); err == nil {
				p.autoStart = v.Get("autostarttoken")
			}
		}
	case "form":
		p.forms = append(p.forms, form{action: attribute(t, "action")})
	case "input", "button":
		if len(p.forms) == 0 {
			return
		}
		f := &p.forms[len(p.forms)-1]
		one := field{
			name: attribute(t, "name"), value: attribute(t, "value"),
			choice: attribute(t, "type") == "checkbox", checked: attribute(t, "checked") != "",
		}
		if t.Name.Local == "button" {
			f.buttons = append(f.buttons, one)
		} else {
			f.inputs = append(f.inputs, one)
		}
	}
}

// refresh reads "1" or "0; url=/there".
func (p *page) refresh(content string) {
	seconds, to, _ := strings.Cut(content, ";")
	n, err := strconv.Atoi(strings.TrimSpace(seconds))
	if err != nil || n < 0 {
		return
	}
	if _, address, ok := strings.Cut(to, "="); ok {
		p.reloadTo = strings.TrimSpace(address)
	}
	p.reloads, p.after = true, time.Duration(n)*time.Second
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// has reports whether the form has a button with this value.
func (f form) has(value string) bool {
	return slices.ContainsFunc(f.buttons, func(b field) bool { return b.value == value })
}

// fill returns the fields of the form as the person sends it with a button.
func (f form) fill(button string, p Person) url.Values {
	out := url.Values{}
	for _, i := range f.inputs {
		switch {
		case i.name == "":
		case i.name == "personalNumber" && p.Number != "":
			out.Set(i.name, p.Number)
		case i.choice:
			if p.Chooses == nil && i.checked || slices.Contains(p.Chooses, i.value) {
				out.Add(i.name, i.value)
			}
		default:
			out.Add(i.name, i.value)
		}
	}
	for _, b := range f.buttons {
		if b.value == button {
			out.Set(b.name, b.value)
		}
	}
	return out
}
