package look

import "html/template"

// Steps are the three steps of a connect flow ("look/steps"): choose, approve, collect.
type Steps struct {
	Now  int // 1 to 3
	Done bool
}

// Key returns the key of the name of the step.
func (s Steps) Key() string {
	return [...]string{"c.step.choose", "c.step.approve", "c.step.collect"}[min(max(s.Now, 1), 3)-1]
}

// Segments returns the class of each segment of the bar.
func (s Steps) Segments() [3]string {
	var classes [3]string
	for i := range classes {
		switch {
		case i+1 < s.Now || s.Done:
			classes[i] = "is-done"
		case i+1 == s.Now:
			classes[i] = "is-now"
		}
	}
	return classes
}

// Slip is the permission slip ("look/slip", "look/slip-mini"). Texts come translated.
type Slip struct {
	Title, Why string
	Heading    string // "h1" where the slip has the page's heading; "" = "h2"
	Rows       []SlipRow
	Stub       string // "Not approved yet", "Approved …"
	Signed     bool
	Mini       string // second line of the mini slip; "" = no mini slip
}

// SlipRow is a fact on the slip.
type SlipRow struct {
	Term   string
	Facts  []string // one, or a short list on one line
	Strong bool
	Fine   string   // a second, smaller line
	Detail []string // what is folded away
	Link   string   // address after the facts, with LinkText
	LinkTo string   // text of the link
	Small  bool
}

// Relay shows whose turn it is ("look/relay"): you, the operator, the institution. A chip
// and the heading say the same.
type Relay [3]RelayStop

// RelayStop is a stop of a relay. State is "past", "now", "bad" or "" (idle).
type RelayStop struct {
	Name, State, Icon string
}

// NewRelay returns a relay in which the turn is at a stop (0 you, 1 the operator, 2 the
// institution), and whether it stopped there.
func NewRelay(you, operator, institution string, at int, stopped bool) *Relay {
	r := Relay{{Name: you, Icon: "person"}, {Name: operator, Icon: "samla"}, {Name: institution, Icon: "institution"}}
	for i := range r {
		switch {
		case i < at:
			r[i].State, r[i].Icon = "past", "check"
		case i == at && stopped:
			r[i].State, r[i].Icon = "bad", "cross"
		case i == at:
			r[i].State = "now"
		}
	}
	return &r
}

// Button is a button, or a link that looks like one ("look/button"). A button acts, a link
// goes.
type Button struct {
	Kind        string // main, side, text, stop
	Text        string
	Hidden      string // said after the text, not shown
	Icon        string
	Address     string // of a link; "" = a button
	Name, Value string
	Small       bool
	DescribedBy string // id of what says what will happen
	Target      string // of a link: "_top"
	Off         bool
}

// Row is a row to choose ("look/row" inside <ul class="rows">): a link, a choice with
// Name, or neither, if it is off.
type Row struct {
	ID, Title, Sub string // ID tints the tile
	SubKind        string // "warn", "bad" or ""
	SubIcon        string
	Address        string
	Kind           string // "radio", "checkbox"; "" = a link
	Name, Value    string
	Checked        bool
	Off            bool
	NoTile         bool
	ElementID      string // of the input
}

// Field is a labelled input ("look/field"): hint, then error, then the input.
type Field struct {
	ID, Name, Label, Hint, Error string
	Type                         string // "" = "text"
	Class                        string // "code", "input-short num"
	Mode, Autocomplete           string // inputmode
	Value                        string
	MaxLength                    int
	Required                     bool
}

// Problems is the summary of the errors of a form ("look/problem").
type Problems struct {
	Title string
	Items []Problem
}

// Problem leads to the field that it is about.
type Problem struct{ Field, Text string }

// QR is the panel with a QR code of BankID ("look/qr"). The script draws newer codes into
// the path, and removes it when none comes for three seconds.
type QR struct {
	Alt, Left, Renews, Stale string
	Path                     string       // of the modules: see package qr; "" = PNG
	Side                     int          // modules with the quiet zone
	PNG                      template.URL // data: address for browsers without script
	Offset                   int          // 0 to 100, how much of the time is gone
}

// Work is a thing that is read ("look/work"). State is "wait", "now", "done" or "skip";
// Said is the state in words.
type Work struct{ What, State, Said, Count string }

// Icon returns the icon of a state.
func (w Work) Icon() string {
	return map[string]string{"done": "check", "now": "spin", "skip": "warn"}[w.State]
}

// Stat is a tile with a figure ("look/stat").
type Stat struct {
	Label, Figure, Unit string
	Versus              string // comparison in words
	Worse               bool
	Link, LinkText      string
}

// Event is a line of a timeline ("look/timeline").
type Event struct {
	At, Shown  string // machine-readable and as it is shown
	Icon, What string
	Who, Whose string // Whose: person, bank, samla, client
	Why        string
	Gap        string
	Slow       bool
	Kind       string // good, bad or ""
}

// Table is a table in its own scrolling box ("look/table").
type Table struct {
	Caption string
	Heads   []Head
	Rows    [][]template.HTML
}

// Head is a column.
type Head struct {
	Text  string
	Right bool
}
