package xs2a

import (
	"strings"
)

// trail is what is kept of the start of an authorization: the StatusLink of package
// institution. Its text is the link to the status, and what a completion needs besides.
type trail struct {
	status   string // link to the status; may be empty
	confirms bool   // the bank wants a confirmation
	confirm  string // link for it; "" = at the authorisation itself
	byCode   bool   // the bank gives a code of OAuth 2.0
	server   string // the link scaOAuth, exactly as the bank gave it
}

// The words of a trail, each before a link.
const (
	confirmWord = "confirm="
	codeWord    = "oauth="
)

// String returns the text. A space in a link is escaped, as it is when the link is used.
func (t trail) String() string {
	text := escapeSpaces(t.status)
	if t.confirms {
		text += " " + confirmWord + escapeSpaces(t.confirm)
	}
	if t.byCode {
		text += " " + codeWord + escapeSpaces(t.server)
	}
	return text
}

func escapeSpaces(s string) string { return strings.ReplaceAll(s, " ", "%20") }

// trailOf parses the text. It ignores other words.
func trailOf(text string) (t trail) {
	status, words, _ := strings.Cut(text, " ")
	t.status = status
	for word := range strings.SplitSeq(words, " ") {
		if link, found := strings.CutPrefix(word, confirmWord); found {
			t.confirms, t.confirm = true, link
		}
		if link, found := strings.CutPrefix(word, codeWord); found {
			t.byCode, t.server = true, link
		}
	}
	return t
}

// trailIn returns what the start of an authorization says.
func (b *Bank) trailIn(d document, status string) trail {
	t := trail{status: status, confirm: d.link("confirmation")}
	t.confirms = b.wire.signing.confirm == confirmAlways || b.wire.signing.confirm == confirmLinked && t.confirm != ""
	page := d.link("scaRedirect")
	t.server = d.link("scaOAuth")
	t.byCode = t.server != "" && (b.wire.signing.byCode || page == "")
	if !t.byCode {
		t.server = ""
	}
	return t
}
