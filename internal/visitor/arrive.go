package visitor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Arrive goes to the address that Visit has returned, as a browser does: it sends what is
// in the fragment by the page's form, and follows redirects to the first page, or to another
// site. It returns that address. It does not wait on a page that loads itself again.
func (b *Browser) Arrive(ctx context.Context, back *url.URL) (*url.URL, error) {
	at := *back
	at.Fragment, at.RawFragment = "", ""
	next, err := request(ctx, http.MethodGet, at.String(), nil)
	if back.Fragment != "" && err == nil {
		next, err = request(ctx, http.MethodPost, at.String(), url.Values{"fragment": {back.EscapedFragment()}})
	}
	if err != nil {
		return nil, err
	}
	home := origin(&at)
	for range maxPages {
		if origin(next.URL) != home {
			return next.URL, nil
		}
		answer, err := b.client.Do(next)
		if err != nil {
			return nil, fmt.Errorf("visitor: %w", err)
		}
		_ = answer.Body.Close()
		to := answer.Header.Get("Location")
		if answer.StatusCode/100 != 3 || to == "" {
			return next.URL, nil
		}
		target, err := next.URL.Parse(to)
		if err != nil {
			return nil, fmt.Errorf("visitor: an address that cannot be parsed: %w", err)
		}
		if next, err = request(ctx, http.MethodGet, target.String(), nil); err != nil {
			return nil, err
		}
	}
	return nil, ErrLost
}
