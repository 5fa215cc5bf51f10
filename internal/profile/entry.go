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

// Add returns an institutions file with one more entry. An empty file is a new one. Errors:
// the file is not {"banks": […]}, or has the company already.
func Add(file []byte, p Profile) ([]byte, error) {
	var f struct {
		Banks []json.RawMessage `json:"banks"`
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if len(bytes.TrimSpace(file)) > 0 {
		document, syntax := jsontext.Parse(string(file))
		members, _ := document.(map[string]any)
		if _, list := members["banks"].([]any); syntax != nil || !list || len(members) != 1 {
			return nil, errors.New("it must be a JSON object with the list banks and nothing else")
		}
		if err := json.Unmarshal(file, &f); err != nil {
			return nil, errors.New("it cannot be decoded")
		}
	}
	for _, raw := range f.Banks {
		var e struct {
			Company string `json:"company"`
		}
		if json.Unmarshal(raw, &e) == nil && e.Company == p.Company {
			return nil, fmt.Errorf("it has an entry of %s already: edit that one, or remove it and run this again", p.Company)
		}
	}
	entry, err := p.Document()
	if err != nil {
		return nil, err
	}
	f.Banks = append(f.Banks, entry)
	text, err := jsontext.Marshal(f)
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
