package e2e

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/flowtest"
	"samla/internal/visitor"
)

// returnRounds is how often what a bank gives is brought to two nodes at once, at each bank.
const returnRounds = 5

// What comes back from a bank is brought by one browser to two nodes at the same time. It is
// exchanged once, and both show the same outcome.
func TestReturn_ToTwoNodesAtOnceIsExchangedOnce(t *testing.T) {
	t.Parallel()
	w := newEnv(t, flowtest.Postgres(t), clockSpeed)
	other := w.startNode(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := other.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Run("at", func(t *testing.T) {
		for _, f := range pageFamilies {
			if f.namer { // nothing is exchanged there
				continue
			}
			t.Run(f.company, func(t *testing.T) {
				t.Parallel()
				p := w.person(t, f.number)
				before := w.tokenRequests(f)
				for range returnRounds {
					f.returnsTwice(t, p, other.URL())
				}
				if n := w.tokenRequests(f) - before; n != returnRounds {
					t.Errorf("%d requests for tokens for %d returns to two nodes each", n, returnRounds)
				}
			})
		}
	})
}

// tokenRequests returns how often a code was sent to a bank, also if it was refused.
func (w *env) tokenRequests(f pageFamily) int {
	if f.company != nordeaOnPage {
		return f.exchanges(w)
	}
	n := 0
	for _, r := range w.interceptor.all() {
		if strings.HasSuffix(r.path, "/v5/authorize/token") {
			n++
		}
	}
	return n
}

func (f pageFamily) returnsTwice(t *testing.T, p *person, other string) {
	t.Helper()
	id := p.requestConsent(t, consentRequest{company: f.company})
	page, b := p.awaitPage(t, id), p.w.browser()
	back := p.w.goToBank(t, b, page, p.acts())
	there, err := url.Parse(other)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := *back
	elsewhere.Host = there.Host
	var first [2]answer
	var both sync.WaitGroup
	barrier := make(chan struct{})
	for i, at := range []url.URL{*back, elsewhere} {
		both.Go(func() {
			<-barrier
			first[i] = bring(t, b, at)
		})
	}
	close(barrier)
	both.Wait()
	for _, got := range first {
		if got.status != http.StatusSeeOther || got.location != "/go/"+stateOf(page) {
			t.Errorf("what came back is answered by %d, to %s", got.status, got.location)
		}
	}
	p.awaitConsent(t, id, "AUTHORIZED")
	q := *p
	q.client = p.atNode(other)
	q.awaitConsent(t, id, "AUTHORIZED")
	here, andThere := p.w.get(t, b, page), p.w.get(t, b, other+"/go/"+stateOf(page))
	if here.status != http.StatusOK || !strings.Contains(here.body, "Done.") || here.body != andThere.body || here.status != andThere.status {
		t.Errorf("the outcomes differ: %d here, %d at the other node", here.status, andThere.status)
	}
	if again := bring(t, b, elsewhere); again.location != "/go/"+stateOf(page) {
		t.Errorf("brought again: %d, to %s", again.status, again.location)
	}
}

// bring asks for an address of return as a browser with scripts does.
func bring(t *testing.T, b *visitor.Browser, back url.URL) answer {
	fragment := back.EscapedFragment()
	back.Fragment, back.RawFragment = "", ""
	var res *http.Response
	var err error
	if fragment == "" {
		res, err = b.Get(t.Context(), back.String())
	} else {
		res, err = b.Submit(t.Context(), back.String(), url.Values{"fragment": {fragment}})
	}
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Error(err)
	}
	return answer{status: res.StatusCode, location: res.Header.Get("Location")}
}
