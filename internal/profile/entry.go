package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"samla/internal/jsontext"
)

// Today says what Samla can do with a bank: in a few words for a table, and why no more.
// families are the names of the families that this program has.
func (p Profile) Today(families []string) (short, why string) {
	has := slices.Contains(families, p.Family)
	switch {
	case p.Entry != nil && has:
		return "can be added", ""
	case p.Family == "":
		short, why = "no", "no family reaches it"
		if p.Unreached != nil {
			why += ": " + p.Unreached.Value
		}
	case has:
		short, why = "not yet", fmt.Sprintf("too little is known for an entry of the family %s", p.Family)
	default:
		short, why = "not yet", fmt.Sprintf("this program does not have the family %s", p.Family)
	}
	for _, v := range p.Via {
		why += fmt.Sprintf("; the gateway %s reaches it (%s)", v.Gateway, v.Mark.Words())
		if g, found := Find(v.Gateway); found && g.Entry != nil && slices.Contains(families, g.Family) {
			short = "through a gateway"
		}
	}
	return short, why
}

// FillIn begins a value of an entry that only the operator has.
const FillIn = "<fill in"

// Document returns the entry of the institutions file, with its common members first.
func (p Profile) Document() ([]byte, error) {
	common, err := jsontext.Marshal(struct {
		Company      string   `json:"company"`
		DisplayName  string   `json:"displayName"`
		Family       string   `json:"family"`
		LoginMethods []string `json:"loginMethods"`
	}{p.Company, p.Name, p.Family, p.LoginMethods})
	if err != nil {
		return nil, err
	}
	// The order of the members of the entry is kept: it is that of the bank's documentation.
	own := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(p.Entry), []byte("{")))
	if !bytes.HasPrefix(own, []byte("}")) {
		common = append(bytes.TrimSuffix(common, []byte("}")), ',')
		common = append(common, own...)
	}
	if !json.Valid(common) {
		return nil, fmt.Errorf("profile: %s: the entry cannot be joined", p.Company)
	}
	return common, nil
}

// Unfilled returns the pointers of the values that the operator has not filled in.
func Unfilled(entry []byte) []string {
	document, syntax := jsontext.Parse(string(entry))
	if syntax != nil {
		return nil
	}
	var found []string
	walk("", document, func(at string, v any) {
		if s, ok := v.(string); ok && strings.HasPrefix(s, FillIn) {
			found = append(found, at)
		}
	})
	slices.Sort(found)
	return found
}

// Lacking returns the needs of the profile that an entry does not meet: a value is not filled
// in, or a file that the entry of the profile names is not there.
func (p Profile) Lacking(entry []byte, there func(file string) bool) []Need {
	document, syntax := jsontext.Parse(string(entry))
	if syntax != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Needs), func(n Need) bool {
		met := true
		walk("", document, func(at string, v any) {
			s, ok := v.(string)
			if ok && (at == n.At || strings.HasPrefix(at, n.At+"/")) && (strings.HasPrefix(s, FillIn) || slices.Contains(n.files(), s) && !there(s)) {
				met = false
			}
		})
		return met
	})
}

// files returns the names of the files that are needed: they stand before a colon.
func (n Need) files() []string {
	names, _, found := strings.Cut(n.What, ": ")
	if !found {
		return nil
	}
	return strings.Split(names, ", ")
}

// walk calls visit with each value that is no object and no list.
func walk(at string, v any, visit func(at string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, each := range v {
			walk(at+"/"+jsontext.EscapeToken(name), each, visit)
		}
	case []any:
		for i, each := range v {
			walk(fmt.Sprintf("%s/%d", at, i), each, visit)
		}
	default:
		visit(at, v)
	}
}

// Doubtful returns the facts that the entry follows of and that are not seen in the bank's
// own words.
func (p Profile) Doubtful() []Fact {
	var facts []Fact
	for _, f := range p.Facts {
		if len(f.Sets) > 0 && weaker(f.Mark, Seen) != Seen {
			facts = append(facts, f)
		}
	}
	return facts
}

// ErrThere says that a file has an entry of the company already.
var ErrThere = errors.New("it has an entry of the company already")

// Add returns an institutions file with one more entry. An empty file is a new one. Errors:
// the file is not {"banks": […]}; ErrThere.
func Add(file []byte, p Profile) ([]byte, error) {
	banks, err := entriesOf(file)
	if err != nil {
		return nil, err
	}
	if indexOf(banks, p.Company) >= 0 {
		return nil, fmt.Errorf("%w: %s", ErrThere, p.Company)
	}
	entry, err := p.Document()
	if err != nil {
		return nil, err
	}
	return fileOf(append(banks, entry))
}

// Put returns an institutions file with the entry of a profile, whose members take the place
// of those that an entry of this company has: the others stay, as do those that are common
// to all families, but loginMethods with methods.
func Put(file []byte, p Profile, methods bool) ([]byte, error) {
	banks, err := entriesOf(file)
	if err != nil {
		return nil, err
	}
	i := indexOf(banks, p.Company)
	if i < 0 {
		return Add(file, p)
	}
	old, err := membersOf(banks[i])
	if err != nil {
		return nil, err
	}
	next, err := membersOf(p.Entry)
	if err != nil {
		return nil, err
	}
	if methods {
		list, err := jsontext.Marshal(p.LoginMethods)
		if err != nil {
			return nil, err
		}
		next = append(next, member{"loginMethods", list})
	}
	for _, m := range next {
		if at := slices.IndexFunc(old, func(o member) bool { return o.name == m.name }); at >= 0 {
			old[at] = m
		} else {
			old = append(old, m)
		}
	}
	entry := []byte{'{'}
	for n, m := range old {
		if n > 0 {
			entry = append(entry, ',')
		}
		entry = append(jsontext.AppendString(entry, m.name), ':')
		entry = append(entry, m.value...)
	}
	banks[i] = append(entry, '}')
	return fileOf(banks)
}

// EntryOf returns the entry of a company in an institutions file; nil: there is none, or the
// file cannot be read.
func EntryOf(file []byte, company string) json.RawMessage {
	banks, err := entriesOf(file)
	if i := indexOf(banks, company); err == nil && i >= 0 {
		return banks[i]
	}
	return nil
}

// member is one of an object, as it is written.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf returns the members of an object in their order.
func membersOf(object []byte) (all []member, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("an entry must be an object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // it is an object
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func indexOf(banks []json.RawMessage, company string) int {
	return slices.IndexFunc(banks, func(raw json.RawMessage) bool {
		var e struct {
			Company string `json:"company"`
		}
		return json.Unmarshal(raw, &e) == nil && e.Company == company
	})
}

// entriesOf returns the entries of an institutions file; none of an empty one.
func entriesOf(file []byte) ([]json.RawMessage, error) {
	var f struct {
		Banks []json.RawMessage `json:"banks"`
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, nil
	}
	document, syntax := jsontext.Parse(string(file))
	members, _ := document.(map[string]any)
	if _, list := members["banks"].([]any); syntax != nil || !list || len(members) != 1 {
		return nil, errors.New("it must be a JSON object with the list banks and nothing else")
	}
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, errors.New("it cannot be decoded")
	}
	return f.Banks, nil
}

// fileOf returns the text of an institutions file.
func fileOf(banks []json.RawMessage) ([]byte, error) {
	text, err := jsontext.Marshal(map[string]any{"banks": banks})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
