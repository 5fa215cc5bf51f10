package obiespec

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"samla/internal/specs"
)

// Example is one of the official usage examples of version 3.1.10
// (docs/reference/families.md 0, O2).
type Example struct {
	Page   string // file name without ".md", such as "Accounts"
	Title  string // heading, such as "Bulk - Basic Permission"
	Method string
	Path   string      // below Version.Base, such as "/accounts/22289"
	Header http.Header // of the request
	Status int         // of the answer; 0: Body is that of the request
	Body   []byte      // JSON
	// Valid says that the definition 3.1.11 accepts the body, as
	// docs/reference/families.md 14.2 lists; a connector must parse these.
	Valid bool
}

// Name is unique among the examples, such as
// "Accounts: Bulk - Basic Permission: GET /accounts 200". That of a request ends with
// its path.
func (e Example) Name() string {
	name := e.Page + ": " + e.Title + ": " + e.Method + " " + e.Path
	if e.Status == 0 {
		return name
	}
	return name + " " + strconv.Itoa(e.Status)
}

// pages are the pages with examples, by name, with their SHA-256.
var pages = []struct{ name, sum string }{
	{"account-access-consents", "4c8e0b8c473196add1fed6e9b312fe49963ed031e4c9436aed480bebd3327446"},
	{"Accounts", "487d9c6a9d1824a7f72c556c00eb21c12999e96f453aa0d0f82245248d00f036"},
	{"Balances", "65ea72219fabe159209283e1f322d5226586baee9c5d3f4395e67f8d1a6188de"},
	{"Transactions", "7dc8d9f1ac3b0e3da0724e7c5a3f6c824e150eedc0754144e4bc1adc468df281"},
	{"Parties", "f1c436636e8c464524b3210836969647971e4953222e63da69bc7a6f92d93e88"},
	{"standing-orders", "04368e2b073a77da91215240c3f406a89bf4e0b3459fd356e6c7b0fe7f23603f"},
}

// invalid are the examples that the definition refuses, and why.
var invalid = map[string]string{
	"Accounts: Bulk - Detail Permission: GET /accounts 200": "OpeningDate has no time",

	"Balances: Specific Account with High Cost Credit Not Included in Balance and Account in Credit: GET /accounts/22289/balances 200": "AccountId is one level too high",
	"Balances: Specific Account with Creditline Included in Balance and Account in Credit: GET /accounts/22289/balances 200":           "AccountId is one level too high",
	"Balances: Specific Account with High Cost Credit not Included in Balance and Account in Debit: GET /accounts/22289/balances 200":  "AccountId is one level too high",

	"Parties: All Parties: GET /accounts/89019/parties 200": "Relationships is no object",
	"Parties: Account Owner: GET /accounts/22289/party 200": "Address is no array",

	"standing-orders: Bulk: GET /standing-orders 200": "Frequency has another form",
}

// Examples returns the official examples in the order of the pages. The test is
// skipped where a page is missing, and fails where one has changed.
func Examples(tb testing.TB) []Example {
	tb.Helper()
	for _, p := range pages {
		specs.Read(tb, page(p.name, p.sum))
	}
	all, err := examples()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func page(name, sum string) specs.File {
	return specs.File{Path: "obie/docs-v3.1.10/" + name + ".md", SHA256: sum}
}

var examples = sync.OnceValues(func() ([]Example, error) {
	var all []Example
	for _, p := range pages {
		text, err := specs.Load(page(p.name, p.sum))
		if err != nil {
			return nil, err
		}
		found, err := parse(p.name, text)
		if err != nil {
			return nil, fmt.Errorf("obiespec: %s: %w", p.name, err)
		}
		all = append(all, found...)
	}
	return all, nil
})

var (
	requestRE = regexp.MustCompile(`^(GET|POST|DELETE) (\S+) HTTP/1\.1$`)
	statusRE  = regexp.MustCompile(`^HTTP/1\.1 ([0-9]{3})\b`)
)

// parse returns the examples of a page: each block of JSON that follows the head of a
// request or of an answer in a block of its own. An example is invalid if "invalid"
// names it.
func parse(name string, text []byte) ([]Example, error) {
	var (
		out     []Example
		now     Example
		inUsage bool
		block   []string // lines of the open fence, the fence first
	)
	now.Page = name
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \r")
		fence := strings.HasPrefix(line, "```")
		switch {
		case fence && block == nil:
			block = []string{line}
		case fence:
			if inUsage {
				if err := now.take(block); err != nil {
					return nil, err
				}
				if block[0] == "```json" {
					_, bad := invalid[now.Name()]
					now.Valid = !bad
					out = append(out, now)
				}
			}
			block = nil
		case block != nil:
			block = append(block, line)
		case strings.HasPrefix(line, "## "):
			inUsage = line == "## Usage Examples"
		case strings.HasPrefix(line, "### "):
			now.Title = strings.TrimPrefix(line, "### ")
		}
	}
	return out, lines.Err()
}

// take reads the head of a request, the head of an answer or a body.
func (e *Example) take(block []string) error {
	if block[0] == "```json" {
		e.Body = []byte(strings.Join(block[1:], "\n"))
		return nil
	}
	if len(block) < 2 {
		return nil
	}
	if m := requestRE.FindStringSubmatch(block[1]); m != nil {
		head, err := textproto.NewReader(bufio.NewReader(strings.NewReader(strings.Join(block[2:], "\r\n") + "\r\n\r\n"))).ReadMIMEHeader()
		if err != nil {
			return fmt.Errorf("head of %s: %w", e.Title, err)
		}
		e.Method, e.Path, e.Status, e.Header = m[1], m[2], 0, http.Header(head)
	} else if m := statusRE.FindStringSubmatch(block[1]); m != nil {
		e.Status, _ = strconv.Atoi(m[1]) // three digits
	}
	return nil
}
