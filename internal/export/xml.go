package export

import (
	"bytes"
	"strings"
)

// tree writes the elements of an XML document, a line each.
type tree struct {
	bytes.Buffer
	open []string
}

// in writes an element around what do writes.
func (t *tree) in(name string, do func()) {
	t.indent()
	t.WriteString("<" + name + ">\n")
	t.open = append(t.open, name)
	do()
	t.open = t.open[:len(t.open)-1]
	t.indent()
	bare, _, _ := strings.Cut(name, " ")
	t.WriteString("</" + bare + ">\n")
}

// leaf writes an element with a text. name may have attributes after it, and no text writes
// no element.
func (t *tree) leaf(name, text string) {
	if text == "" {
		return
	}
	t.indent()
	bare, _, _ := strings.Cut(name, " ")
	t.WriteString("<" + name + ">")
	t.WriteString(escaped.Replace(text) + "</" + bare + ">\n")
}

// escaped writes a text of one line in an element. Quotes need nothing there, and readers of
// OFX know no other references (OFX 2.3.2.1).
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (t *tree) comment(notes []string) {
	if len(notes) > 0 {
		t.indent()
		t.WriteString("<!-- " + xmlComment(notes) + " -->\n")
	}
}

func (t *tree) indent() { t.WriteString(strings.Repeat(" ", len(t.open))) }
