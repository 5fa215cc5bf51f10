package xs2a

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"samla/internal/plaintext"
)

// document is the JSON object of an answer whose members are found by name. Banks
// write the names in different ways (authorisationId, authorization_id), and some wrap
// the object in another one.
type document struct {
	raw    any              // as decoded, for JSON pointers
	levels []map[string]any // members by folded name: those of the object first, then those of the objects in it
	links  links
}

// maxDepth is how many levels of objects are searched. An answer about a consent or an
// authorisation has two at most.
const maxDepth = 3

// documentOf decodes the answer. Errors: kind MalformedResponse if the body is not a
// JSON object.
func documentOf(r response) (document, error) {
	var body json.RawMessage
	if err := decode(r, &body); err != nil { // repairs it
		return document{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var linked struct {
		Links links `json:"_links"`
		Plain links `json:"links"`
	}
	_ = json.Unmarshal(body, &linked) // ignores members of another type
	d := document{links: links{}}
	maps.Copy(d.links, linked.Plain)
	maps.Copy(d.links, linked.Links)
	if err := decoder.Decode(&d.raw); err != nil {
		return document{}, malformed(r.requestID, err)
	}
	object, _ := d.raw.(map[string]any)
	for level := []map[string]any{object}; len(level) > 0 && len(d.levels) < maxDepth; {
		members, next := map[string]any{}, []map[string]any(nil)
		for _, object := range level {
			for _, name := range slices.Sorted(maps.Keys(object)) { // the same answer is read in the same way each time
				value, w := object[name], plaintext.Fold(name)
				if w == "links" {
					continue
				}
				if members[w] == nil {
					members[w] = value
				}
				if inner, ok := value.(map[string]any); ok {
					next = append(next, inner)
				}
			}
		}
		d.levels = append(d.levels, members)
		level = next
	}
	return d, nil
}

// text returns the first of the members that is a string, number or boolean. A name that
// is nearer to the top wins, then one that is named first.
func (d document) text(names ...string) string { return textOf(d.levels, names) }

// own is text for names that mean something else in an object within the object.
func (d document) own(names ...string) string { return textOf(d.levels[:min(1, len(d.levels))], names) }

func textOf(levels []map[string]any, names []string) string {
	for _, members := range levels {
		for _, name := range names {
			switch value := members[plaintext.Fold(name)].(type) {
			case string:
				if value = strings.TrimSpace(value); value != "" {
					return value
				}
			case json.Number:
				return value.String()
			case bool:
				return strconv.FormatBool(value)
			}
		}
	}
	return ""
}

// values returns the members of these names on every level, the nearest to the top
// first.
func (d document) values(names ...string) (found []any) {
	for _, members := range d.levels {
		for _, name := range names {
			if value, ok := members[plaintext.Fold(name)]; ok && value != nil {
				found = append(found, value)
			}
		}
	}
	return found
}

// link returns the first of the links that the answer has.
func (d document) link(names ...string) string {
	for _, name := range names {
		if l := d.links[strings.ToLower(name)]; l != "" {
			return string(l)
		}
	}
	return ""
}

// hasLink reports whether there is a link whose name begins with the prefix.
func (d document) hasLink(prefix string) bool {
	for name := range d.links {
		if strings.HasPrefix(name, strings.ToLower(prefix)) {
			return true
		}
	}
	return false
}

// idAfter returns the path segment after the last one that has one of the names, in
// the first of the addresses that has such a segment.
func idAfter(names []string, addresses ...string) string {
	for _, address := range addresses {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil {
			continue
		}
		segments := strings.Split(u.EscapedPath(), "/")
		for i := len(segments) - 2; i >= 0; i-- {
			for _, name := range names {
				if segments[i] != name {
					continue
				}
				if id, err := url.PathUnescape(segments[i+1]); err == nil && id != "" {
					return id
				}
			}
		}
	}
	return ""
}
