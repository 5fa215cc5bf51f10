package xs2a

import (
	"cmp"
	"slices"
	"strings"

	"samla/internal/deviation"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// An address is a path below the bank's base URL, escaped, with a query if there is
// one. Questions have addresses in Link, so that equal questions are the same page
// however the bank spells the link to it.

// standardAddress returns the address of what a question is about as the standard has
// it, without a query. Errors: kind Refused for a question that is not of this family,
// ForeignAddress for an account whose id is no path segment.
func (b *Bank) standardAddress(kind, account string) (string, error) {
	var segments []string
	switch kind {
	case askAccounts:
		segments = under(b.wire.paths.Accounts)
	case askCards:
		segments = under(b.wire.paths.Cards)
	case askBalances, askTransactions:
		below := b.wire.paths.Balances
		if kind == askTransactions {
			below = b.wire.paths.Transactions
		}
		list, id := b.resource(account)
		segments = under(list, append([]string{id}, under(below)...)...)
	default:
		return "", &institution.Error{Kind: institution.Refused}
	}
	address, err := httpclient.EscapePath(segments...)
	if err != nil {
		return "", httperror.Transport(err, "")
	}
	return address, nil
}

// locate returns the address of a link that was found on the page with the address at.
// standard is the standard address of what the link leads to. No link leads to another
// host:
//
//   - A link of the bank's host below the base URL, or without a host, is used as it
//     stands. A path without a host may lack the base URL's path.
//   - Of a link to another host, or to another path of the bank's host, the part from
//     the list of accounts or cards on is used (".../accounts/1/transactions?page=2"):
//     banks behind a gateway write the address inside of it.
//   - If there is no such part, the query is used with the standard address.
//
// The last two are counted as LinkReplaced. A link without any of it has no address:
// the result is "".
func (b *Bank) locate(href link, at, standard string, d *deviation.Counts) string {
	at, _, _ = strings.Cut(at, "?")
	l, err := b.client.ParseLink(string(href))
	if err != nil {
		_, query, _ := strings.Cut(string(href), "?")
		l, err = b.client.ParseLink("?" + query)
		l.Host = httpclient.OtherHost
	}
	switch {
	case err != nil:
		return ""
	case l.Below && l.Host != httpclient.OtherHost && l.Path != "":
		return withQuery(l.Path, l.Query)
	case l.Host == httpclient.NoHost && l.Path == "" && l.Query != "":
		return withQuery(at, l.Query)
	}
	resource := cmp.Or(fromList(l.Path, b.wire.paths.Accounts), fromList(l.Path, b.wire.paths.Cards))
	switch {
	case l.Host == httpclient.NoHost && resource != "":
		return withQuery(resource, l.Query)
	case l.Host == httpclient.NoHost && strings.HasPrefix(l.Path, "/"):
		return withQuery(l.Path, l.Query)
	case l.Host == httpclient.NoHost && l.Path != "":
		return withQuery(at[:strings.LastIndexByte(at, '/')+1]+l.Path, l.Query)
	case resource != "":
		d.Add(deviation.LinkReplaced, 1)
		return withQuery(resource, l.Query)
	case l.Query != "":
		d.Add(deviation.LinkReplaced, 1)
		return withQuery(standard, l.Query)
	}
	return ""
}

// fromList returns the part of a path that begins with the name of a list ("accounts" of
// v1/accounts), below the path that the list has. If the path has no such part, it returns
// "". Of several, the last one after a version counts.
func fromList(path, list string) string {
	segments, own := strings.Split(list, "/"), strings.Split(path, "/")
	above, name := segments[:len(segments)-1], segments[len(segments)-1]
	from := -1
	for i, segment := range own {
		if segment == name && name != "" && (from < 0 || i > 0 && isVersion(own[i-1])) {
			from = i
		}
	}
	if from < 0 {
		return ""
	}
	return "/" + strings.Join(slices.Concat(above, own[from:]), "/")
}

func isVersion(segment string) bool {
	return len(segment) > 1 && segment[0] == 'v' && segment[1] >= '0' && segment[1] <= '9'
}

// withParameter returns an address with a parameter, which replaces one of that name.
func withParameter(address, name, value string) string {
	path, query, _ := strings.Cut(address, "?")
	var kept []string
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter != "" && !isParameter(parameter, name) {
			kept = append(kept, parameter)
		}
	}
	return path + "?" + strings.Join(append(kept, name+"="+value), "&")
}

// parameterOf returns the value of a parameter of an address, or "".
func parameterOf(address, name string) string {
	_, query, _ := strings.Cut(address, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		if isParameter(parameter, name) {
			_, value, _ := strings.Cut(parameter, "=")
			return value
		}
	}
	return ""
}

func isParameter(parameter, name string) bool {
	own, _, _ := strings.Cut(parameter, "=")
	return strings.EqualFold(own, name)
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// nextPages returns the questions for the pages that a page names as its next ones,
// each once. A page that names itself is the last one: what it leads to is read.
func (b *Bank) nextPages(q institution.Question, d *deviation.Counts, named ...link) (next []institution.Question) {
	at, err := b.address(q)
	if err != nil {
		return nil
	}
	m := mannerOf(q.Detail)
	m.page = true
	standard, _ := b.standardAddress(q.Kind, q.Account)
	for _, href := range named {
		if href == "" {
			continue
		}
		following := q
		following.Essential = false // what the page before it has is worth having
		following.Detail, following.Link = m.String(), b.locate(href, at, standard, d)
		switch {
		case following.Link == "":
			d.Add(deviation.UnusableLink, 1)
		case !samePage(following.Link, at) && !slices.Contains(next, following):
			next = append(next, following)
		}
	}
	return next
}

// samePage reports whether two addresses differ at most in the order of parameters.
func samePage(one, other string) bool {
	path, query, _ := strings.Cut(one, "?")
	otherPath, otherQuery, _ := strings.Cut(other, "?")
	return path == otherPath && slices.Equal(sortedParameters(query), sortedParameters(otherQuery))
}

func sortedParameters(query string) []string {
	return slices.Sorted(strings.SplitSeq(query, "&"))
}
