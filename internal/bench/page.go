package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
)

// Page measures the question of the connect page for the code of each second. Each caller is
// a person with a flow of its own, which waits for the signature of its consent. The limit
// is the rate of bare status polls of the same consents, as a client makes that shows the
// code itself.
func Page(ctx context.Context, c Config) (Result, error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	client := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
	pages, polls := make([][]byte, c.Connections), make([][]byte, c.Connections)
	door := make(chan struct{}, pageArrivals)
	if err := parallel(c.Connections, func(i int) (err error) {
		door <- struct{}{}
		defer func() { <-door }()
		pages[i], polls[i], err = waitingPage(ctx, c, client, host, i)
		return err
	}); err != nil {
		return Result{}, err
	}
	poll := func(requests [][]byte, used *usedTime) func(context.Context, time.Duration) (int, error) {
		return func(ctx context.Context, d time.Duration) (n int, err error) {
			before := cpuTime(os.Getpid())
			defer func() { used.add(cpuTime(os.Getpid())-before, n) }()
			return runCallers(ctx, host, c.Connections, d, func(conn *conn, caller int) error {
				status, body, err := conn.do(requests[caller])
				if err == nil {
					err = checkStatus(http.StatusOK, status, body)
				}
				return err
			})
		}
	}
	var bare, page usedTime
	r, err := c.measure(ctx, "page", l.Server.Store().Kind(), poll(polls, &bare), poll(pages, &page))
	c.Logf("processor time, with the load generator: %v a poll, %v a question of the page", bare.each(), page.each())
	return r, err
}

// usedTime is the processor time of operations.
type usedTime struct {
	time time.Duration
	n    int
}

func (u *usedTime) add(d time.Duration, n int) { u.time, u.n = u.time+d, u.n+n }

func (u *usedTime) each() time.Duration {
	return (u.time / time.Duration(max(u.n, 1))).Round(time.Microsecond)
}

// pageArrivals is how many persons arrive at once.
const pageArrivals = 64

// waitingPage makes a link for a new person, and goes on the page to the code. It returns the
// question of the page for its state, and the poll of the consent.
func waitingPage(ctx context.Context, c Config, client *apiclient.Client, host string, i int) (page, poll []byte, err error) {
	user, token, err := newUser(ctx, client, fmt.Sprintf("page-%d", i))
	if err != nil {
		return nil, nil, err
	}
	var link struct{ ConnectLinkID, URL string }
	if err := call(ctx, client, http.MethodPost, "/connect-links", map[string]any{"userUuid": user.ID, "purpose": "measure", "companies": []string{benchCompany},
		"person": map[string]string{"personalNumber": personalNumber(i)}}, &link); err != nil {
		return nil, nil, err
	}
	b := &pageBrowser{base: client.Base}
	if err := b.post(ctx, strings.TrimPrefix(link.URL, client.Base), nil); err != nil {
		return nil, nil, err
	}
	path := b.at // of the flow
	state := "/c/state/" + strings.TrimPrefix(path, "/c/")
	for {
		s, err := b.state(ctx, state)
		if err == nil && s.State == "REVIEW" {
			err = b.post(ctx, path, url.Values{"act": {"begin"}, "way": {"other"}, "rev": {strconv.FormatInt(s.Rev, 10)}})
		}
		if err == nil && s.State == "FAILED" {
			err = errors.New("an approval to be shown has failed")
		}
		if err != nil {
			return nil, nil, err
		}
		if s.State == "QR" && s.QR != "" {
			break
		}
		if err := clock.Sleep(ctx, c.Clock, 200*time.Millisecond); err != nil {
			return nil, nil, err
		}
	}
	var stands struct{ Flow struct{ ConsentID string } }
	if err := call(ctx, client, http.MethodGet, "/connect-links/"+link.ConnectLinkID, nil, &stands); err != nil {
		return nil, nil, err
	}
	return request("GET", state, host, map[string]string{"Cookie": b.cookie}, ""),
		request("GET", "/consents/"+stands.Flow.ConsentID+"/status", host, map[string]string{"Authorization": "Bearer " + token, "Insurely-Version": "2026-04-01"}, ""), nil
}

// call calls the API with the key of the client.
func call(ctx context.Context, client *apiclient.Client, method, path string, body, answer any) error {
	text, err := client.Send(ctx, method, "", path, body)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	return err
}

// pageBrowser is as much of a browser as the page needs: a cookie, and forms.
type pageBrowser struct {
	base, cookie string
	at           string // path, after the last form
}

func (b *pageBrowser) send(ctx context.Context, method, path string, form url.Values) (*http.Response, []byte, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, body)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Cookie", b.cookie)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultTransport.RoundTrip(r) // follows nothing
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, text, err
}

func (b *pageBrowser) post(ctx context.Context, path string, form url.Values) error {
	answer, _, err := b.send(ctx, http.MethodPost, path, form)
	if err != nil {
		return err
	}
	for _, c := range answer.Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	b.at = answer.Header.Get("Location")
	if answer.StatusCode != http.StatusSeeOther { // the server has no room: the loop asks again
		b.at = path
	}
	return nil
}

func (b *pageBrowser) state(ctx context.Context, path string) (s struct {
	Rev       int64
	State, QR string
}, err error) {
	answer, text, err := b.send(ctx, http.MethodGet, path, nil)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the state of a flow: HTTP %d", answer.StatusCode)
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}
