package visitor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
)

// bank is a bank whose paths have these pages; a page that begins with "/" or "http" is a
// redirect. It records what is posted.
func bank(t *testing.T, pages map[string]string) (origin string, posted *[]string) {
	t.Helper()
	posted = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_ = r.ParseForm()
			*posted = append(*posted, r.URL.Path+" "+r.PostForm.Encode())
		}
		page := pages[r.URL.Path]
		if strings.HasPrefix(page, "/") || strings.HasPrefix(page, "http") {
			w.Header().Set("Location", page)
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		_, _ = fmt.Fprint(w, page)
	}))
	t.Cleanup(s.Close)
	return s.URL, posted
}

func TestVisit_StopsOutsideOfTheBankOnly(t *testing.T) {
	origin, _ := bank(t, map[string]string{"/login": "/next?a=1", "/next": "https://client.example/back?code=1#frag"})
	entrance, _ := bank(t, map[string]string{"/go": origin + "/login"})
	b := New(http.DefaultTransport, clock.System(), origin)
	var saw []string
	b.Saw = func(u *url.URL, status int) { saw = append(saw, fmt.Sprint(u.Path, " ", status)) }
	to, err := b.Visit(t.Context(), entrance+"/go", Person{})
	if err != nil || to.String() != "https://client.example/back?code=1#frag" {
		t.Errorf("%v %v", to, err)
	}
	if got := strings.Join(saw, ", "); got != "/go 303, /login 303, /next 303" {
		t.Error(got)
	}
}

func TestVisit_FillsInForms(t *testing.T) {
	origin, posted := bank(t, map[string]string{
		"/login": `<form action="/in" method="post"><input name="personalNumber"/><input type="hidden" name="h" value="1"/>
			<button name="action" value="cancel">x</button><button name="action" value="start">y</button></form>`,
		"/in": "/choose",
		"/choose": `<br><form action="done"><input type="checkbox" name="account" value="a" checked="checked"/>
			<input type="checkbox" name="account" value="b"/><button name="action" value="refuse">r</button>
			<button name="action" value="approve">&nbsp;y</button></form>`,
		"/done": "https://client.example/",
	})
	for _, p := range []Person{{Number: "1"}, {Number: "1", Refuse: true}, {Number: "1", Chooses: []string{"b"}}, {}} {
		if _, err := New(http.DefaultTransport, clock.System(), origin).Visit(t.Context(), origin+"/login", p); err != nil {
			t.Fatal(err)
		}
	}
	want := `/in action=start&h=1&personalNumber=1
/done account=a&action=approve
/in action=start&h=1&personalNumber=1
/done account=a&action=refuse
/in action=start&h=1&personalNumber=1
/done account=b&action=approve
/in action=start&h=1&personalNumber=
/done account=a&action=approve`
	if got := strings.Join(*posted, "\n"); got != want {
		t.Errorf("posted\n%s", got)
	}
}

func TestVisit_EndsWherePagesDoNotGoOn(t *testing.T) {
	origin, posted := bank(t, map[string]string{
		"/end":   `<h1>Bank</h1><p>small print</p><p role="alert">It is <b>over</b>.</p><p>more</p>`,
		"/again": `<form action="/again"><button name="action" value="start">x</button></form>`,
		"/loop":  "/loop",
	})
	b := New(http.DefaultTransport, clock.System(), origin)
	if _, err := b.Visit(t.Context(), origin+"/end", Person{}); !errors.Is(err, ErrStays) || !strings.HasSuffix(err.Error(), ": Bank: It is: over: .") {
		t.Error(err)
	}
	if _, err := b.Visit(t.Context(), origin+"/again", Person{}); !errors.Is(err, ErrStays) || len(*posted) != 1 {
		t.Error(err, *posted)
	}
	if _, err := b.Visit(t.Context(), origin+"/loop", Person{}); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
}

// The page is loaded again after the time that it asks for.
func TestVisit_WaitsByTheClock(t *testing.T) {
	origin, _ := bank(t, map[string]string{"/wait": `<meta http-equiv="refresh" content="30; url=/out"/>`, "/out": "https://client.example/"})
	c := clock.NewManual(time.Unix(0, 0))
	done := make(chan error, 1)
	go func() {
		_, err := New(http.DefaultTransport, c, origin).Visit(context.Background(), origin+"/wait", Person{})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatal("not waited: ", err)
	case <-c.Waits():
	}
	c.Advance(30 * time.Second)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`<!doctype html><p role=status>x<br>y</p><a href="bankid:///?autostarttoken=t">z</a><meta http-equiv=Refresh content="1;url=/a">`)
	f.Add(`</p></p><form><input checked><button value=start></form><script>a<b</script>`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		if p.after < 0 {
			t.Error("negative time")
		}
		for _, one := range p.forms {
			one.fill("start", Person{Number: "1"})
		}
	})
}
