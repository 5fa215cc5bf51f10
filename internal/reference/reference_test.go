package reference

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/pages/look"
	"samla/internal/wire"
)

// quiet is a handler as it is in production, which has read the documents.
var quiet *Handler

func handler(t testing.TB, try bool) *Handler {
	t.Helper()
	if !try && quiet != nil {
		return quiet
	}
	d := Deps{Try: try, Log: slog.New(slog.DiscardHandler)}
	for _, contract := range []func() (*wire.Contract, error){v20260401.Contract, v20250101.Contract} {
		c, err := contract()
		if err != nil {
			t.Fatal(err)
		}
		d.Versions = append(d.Versions, Version{Name: c.Version(), Document: c.Text()})
	}
	h := New(d)
	if !try {
		quiet = h
	}
	return h
}

// get returns what the handler, or the shared files of all pages, answer.
func get(t testing.TB, h http.Handler, address string) (status int, header http.Header, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	if strings.HasPrefix(address, look.AssetPath) {
		h = look.Assets
	}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(text)
}

var (
	linkRE = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	idRE   = regexp.MustCompile(` id="([^"]*)"`)
)

// Every link of every page leads to a page of this server, to a heading of it, or to
// another host; every document is a page; and nothing of the documents was left out.
func TestPages_LinksResolve(t *testing.T) {
	h := handler(t, false)
	pages := map[string]string{}
	open := func(address string) string {
		body, known := pages[address]
		if !known {
			status, _, text := get(t, h, address)
			if status != http.StatusOK {
				t.Errorf("%s answers %d", address, status)
			}
			body = text
			pages[address] = body
		}
		return body
	}
	queue := []string{Path, Path + "/search?q=consent"}
	for address := range h.load().byPath {
		queue = append(queue, address)
	}
	for _, address := range queue {
		body := open(address)
		if strings.Contains(body, "raw HTML omitted") || strings.Contains(body, " style=") {
			t.Errorf("%s has HTML of a document, or a style", address)
		}
		for _, found := range linkRE.FindAllStringSubmatch(body, -1) {
			u, err := url.Parse(strings.ReplaceAll(found[1], "&amp;", "&"))
			if err != nil {
				t.Errorf("%s: %v", address, err)
				continue
			}
			switch {
			case u.Scheme == "data", u.Host != "", u.Path == "/openapi.json":
				continue
			case u.Path == "":
				u.Path, u.RawQuery, _ = strings.Cut(address, "?")
			case !strings.HasPrefix(u.Path, "/"):
				t.Errorf("%s has the relative link %s", address, found[1])
			}
			target := open(u.RequestURI())
			if u.Fragment == "" || strings.HasPrefix(u.Fragment, "/") || u.Fragment == "main" {
				continue
			}
			if !slices.ContainsFunc(idRE.FindAllStringSubmatch(target, -1), func(id []string) bool { return id[1] == u.Fragment }) {
				t.Errorf("%s: %s has no heading", address, found[1])
			}
		}
	}
	if len(pages) < 60 {
		t.Errorf("only %d pages", len(pages))
	}
}

// What is offered exists, each entry once.
func TestGroups_Exist(t *testing.T) {
	h := handler(t, false)
	seen := map[string]bool{}
	for _, g := range h.groups() {
		for _, e := range g.Entries {
			status, header, body := get(t, h, e.Address)
			if status != http.StatusOK || seen[e.Address] || !strings.Contains(body, `href="`+e.Address+`" aria-current="page"`) {
				t.Errorf("%s: %d, seen before: %t", e.Address, status, seen[e.Address])
			}
			if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: %s", e.Address, policy)
			}
			seen[e.Address] = true
		}
	}
}

func TestHandler_AnswersWhatThereIsNot(t *testing.T) {
	h := handler(t, false)
	for address, want := range map[string]int{
		Path + "/nothing": 404, Path + "/api/2020-01-01": 404, Path + "/docs.go": 404, Path + "/../go.mod": 307, Path + "/assets/swagger-ui.js": 404,
		Path + "/decisions": 200, Path + "/": 301, Path + "/assets/swagger-ui-bundle.js": 200, Path + "/source-protocol/openapi.json": 200,
	} {
		if status, _, _ := get(t, h, address); status != want {
			t.Errorf("%s: %d", address, status)
		}
	}
}

// What browsers keep has its content's hash in the address, so that a page after an upgrade
// meets no older script; of all else they ask whether it has changed.
func TestHandler_LetsBrowsersKeepNothingOld(t *testing.T) {
	h := handler(t, false)
	_, _, page := get(t, h, Path+"/api/2026-04-01")
	kept := 0
	for _, found := range regexp.MustCompile(`(?:href|src)="(`+Path+`/assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		status, header, _ := get(t, h, found[1])
		if kept++; status != http.StatusOK || !regexp.MustCompile(`-[0-9a-f]{12}\.(js|css)$`).MatchString(found[1]) || !strings.HasSuffix(header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", found[1], status, header)
		}
	}
	if kept != 4 {
		t.Errorf("%d files", kept)
	}
	for _, address := range []string{Path, Path + "/webhooks", Path + "/search?q=consent", Path + "/api/2026-04-01", Path + "/source-protocol/openapi.json", Path + "/assets/swagger-ui.css"} {
		_, header, body := get(t, h, address)
		tag := header.Get("ETag")
		again := httptest.NewRequest(http.MethodGet, address, nil)
		again.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, again)
		if header.Get("Cache-Control") != "no-cache" || tag == "" || body == "" || w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: %v, then %d %v", address, header, w.Code, w.Header())
		}
		again.Header.Set("If-None-Match", `W/"other"`)
		w = httptest.NewRecorder()
		if h.ServeHTTP(w, again); w.Code != http.StatusOK {
			t.Errorf("%s with another tag: %d", address, w.Code)
		}
	}
	if _, header, _ := get(t, h, Path+"/nothing"); header.Get("Cache-Control") != "no-store" {
		t.Errorf("what there is not: %v", header)
	}
}

// Requests are sent from the viewer in development only.
func TestViewer_SendsRequestsInDevelopmentOnly(t *testing.T) {
	for _, try := range []bool{false, true} {
		_, _, body := get(t, handler(t, try), Path+"/api/2026-04-01")
		if strings.Contains(body, "data-try") != try || !strings.Contains(body, "POST /connect-links") {
			t.Errorf("in development %t:\n%s", try, body)
		}
	}
}

// A search finds what a person would look for, at its heading, the best first.
func TestSearch_FindsTheHeading(t *testing.T) {
	l := handler(t, false).load()
	for query, want := range map[string]string{
		"CONSENT_EXPIRED":       Path + "/errors#consent_expired",
		"webhooks":              Path + "/webhooks",
		"verify":                Path + "/webhooks#verify",
		"quick start":           Path + "/quick-start",
		"going live":            Path + "/going-live",
		"createConnectLink":     Path + "/api/2026-04-01#/Connect/createConnectLink",
		"  Phone  THE  ":        Path + "/sandbox#the-phone",
		"consent company match": Path + "/errors#consent_company_mismatch",
	} {
		found := l.find(query)
		if len(found) == 0 || found[0].Address != want {
			t.Errorf("%q: %d found, first %+v", query, len(found), found[:min(1, len(found))])
		}
	}
	for _, query := range []string{"", "  ", "xyzzy", "consent xyzzy"} {
		if found := l.find(query); len(found) != 0 {
			t.Errorf("%q: %d found", query, len(found))
		}
	}
	status, _, body := get(t, quiet, Path+"/search?q=%3Cscript%3E"+strings.Repeat("%C3%A5", 200))
	if status != http.StatusOK || strings.Contains(body, "<script>å") {
		t.Errorf("%d\n%s", status, body)
	}
}

// A document becomes a page: links to documents and sections, names of what is not served,
// tables and code that scroll in boxes of their own, and no HTML of its own.
func TestRender_MakesPages(t *testing.T) {
	const cited = "docs/" + "a/b.md" // apart: the tests of the documentation look for documents that are named
	files := fstest.MapFS{"a/b.md": {Data: []byte("# B\n## 1. One\n### 1.2 `GET /x` (chosen)\n")}, "c.md": {}, "README.md": {}, "a/README.md": {}, "x.json": {}}
	d, err := render(files, "c.md", []byte("# The `title`\n\n[b](a/b.md#1-one), [folder](a/), [out](../x.md), [web](https://example.com), [file](x.json), [here](#two)\n\n## Two\n\n## Two\n\nsee "+cited+" 1.2 and docs/"+"none.md, `"+cited+"`\n\n| a | |\n| --: | - |\n| <b> | 2 |\n\n```sh\nls <x>\n```\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Title != "The title" || d.Address != "/docs/c" || len(d.Heads) != 2 || d.Heads[1].ID != "two-1" {
		t.Errorf("%+v", d)
	}
	for _, want := range []string{`<a href="/docs/a/b#1-one">b</a>`, `<a href="/docs/a">folder</a>`, `, out, `, `<a href="https://example.com">web</a>`, `<a href="/docs/x.json">file</a>`,
		`see <a href="/docs/a/b#12-get-x-chosen">` + cited + ` 1.2</a> and docs/` + `none.md, <code>` + cited + `</code>`, `<div class="scroll" role="group" tabindex="0" aria-label="Table"><table>`,
		`<th scope="col" align="right">`, `<pre tabindex="0"><code class="language-sh">ls &lt;x&gt;`} {
		if !strings.Contains(d.body, want) {
			t.Errorf("%s is not in\n%s", want, d.body)
		}
	}
}
