package xs2a

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// link is an address of _links: an object with href, the address as a text, or a list
// of either, of which the first counts.
type link string

// unreadableLink is a link that says something else than an address, such as the number
// of a page. It leads nowhere, so that what it was for is counted and not forgotten.
const unreadableLink link = "unreadable:"

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *link) UnmarshalJSON(data []byte) error {
	*l = ""
	switch data[0] {
	case '{':
		*l = linkOf(data)
	case '[':
		var list []link
		_ = json.Unmarshal(data, &list)
		for _, entry := range list {
			if entry != "" {
				*l = entry
				break
			}
		}
	case '"':
		var s text
		_ = s.UnmarshalJSON(data)
		*l = link(s)
	case 'f', 'n':
	default:
		if string(data) != "0" && string(data) != "-1" {
			*l = unreadableLink
		}
	}
	*l = link(strings.TrimSpace(string(*l)))
	return nil
}

// linkOf decodes an object with an address. An object of which every member is empty is
// no link, as the empty object is none.
func linkOf(data []byte) link {
	var object struct {
		Href text `json:"href"`
		URI  text `json:"uri"`
		URL  text `json:"url"`
	}
	_ = json.Unmarshal(data, &object) // ignores members of another type
	if address := cmp.Or(object.Href, object.URI, object.URL); address != "" {
		return link(address)
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(data, &members)
	_, named := members["href"]
	for _, value := range members {
		if !named && !bytes.ContainsRune([]byte("nf"), rune(value[0])) && string(value) != `""` {
			return unreadableLink
		}
	}
	return ""
}

// links are the _links of an answer or of an account by relation, in lower case,
// without those that have no address. Banks that have no links to write leave _links
// out, or write null, "", [] or {}: all of these are the empty map.
type links map[string]link

// UnmarshalJSON implements json.Unmarshaler. It never fails. Beside the object of the
// standard it decodes lists: of such objects, or of objects with rel and href. If a
// member is repeated, the later relations are added to the earlier ones.
func (l *links) UnmarshalJSON(data []byte) error {
	var objects []map[string]json.RawMessage
	switch data[0] {
	case '{':
		objects = make([]map[string]json.RawMessage, 1)
		_ = json.Unmarshal(data, &objects[0])
	case '[':
		_ = json.Unmarshal(data, &objects) // entries of another type become nil
	}
	for _, object := range objects {
		var rel text
		if raw, named := object["rel"]; named {
			_ = rel.UnmarshalJSON(raw)
		}
		if rel != "" {
			l.add(string(rel), object["href"])
			continue
		}
		for name, raw := range object {
			l.add(name, raw)
		}
	}
	return nil
}

func (l *links) add(rel string, raw json.RawMessage) {
	var address link
	if len(raw) > 0 {
		_ = address.UnmarshalJSON(raw)
	}
	if address == "" {
		return
	}
	if *l == nil {
		*l = links{}
	}
	(*l)[strings.ToLower(rel)] = address
}

// paging is where a bank names the next page of an answer: in _links as the standard
// has it, or in a member of a similar name.
type paging struct {
	Links      links `json:"_links"`
	Plain      links `json:"links"`
	Pagination links `json:"pagination"`
	Paging     links `json:"paging"`
	Next       link  `json:"next"`
	NextLink   link  `json:"nextLink"`
	NextPage   link  `json:"nextPage"`
	HasMore    text  `json:"hasMore"`
}

// nextOf returns the links to the next page, "" where there is none. A bank that says
// only that there is more names a page that cannot be read.
func nextOf(places ...paging) (named []link) {
	more := false
	for _, p := range places {
		named = append(named, p.Next, p.NextLink, p.NextPage)
		for _, of := range []links{p.Links, p.Plain, p.Pagination, p.Paging} {
			named = append(named, of["next"], of["nextlink"], of["nextpage"])
		}
		more = more || p.HasMore.isTrue()
	}
	if more && !slices.ContainsFunc(named, func(l link) bool { return l != "" }) {
		named = append(named, unreadableLink)
	}
	return named
}

// linkHeader finds the address of the next page in a Link header (RFC 8288 3).
var linkHeader = regexp.MustCompile(`(?i)<([^<>]*)>\s*(?:;[^,<]*)?;\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)`)

// withLinkHeader returns the body of an answer with the next page that its header names.
// One that the body names in the same member counts more.
func withLinkHeader(body []byte, header http.Header) []byte {
	match := linkHeader.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
	inner, isObject := bytes.CutPrefix(bytes.TrimLeft(bytes.TrimPrefix(body, utf8BOM), " \t\r\n"), []byte("{"))
	if match == nil || !isObject {
		return body
	}
	address, _ := json.Marshal(match[1]) // a string has no error
	if inner = bytes.TrimLeft(inner, " \t\r\n"); !bytes.HasPrefix(inner, []byte("}")) {
		address = append(address, ',')
	}
	return slices.Concat([]byte(`{"next":`), address, inner)
}
