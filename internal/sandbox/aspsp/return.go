package aspsp

import (
	"net/http"
	"net/url"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/oauth"
)

// returned stores and returns the address to which the browser goes after a decision. The
// caller holds mu.
func (b *Bank) returned(a *Authorisation, o bankpage.Outcome) (string, error) {
	page := *a.Page
	approved := a.Status == Finalised || a.Status == Unconfirmed
	var err error
	switch {
	case page.Request != nil && approved:
		var code string
		code, err = b.server.Code(*page.Request, a.ConsentID)
		page.ReturnTo = page.Request.Success(code)
	case page.Request != nil:
		page.ReturnTo = page.Request.Failure(denied(o))
	case approved && b.Confirmation:
		page.Code, err = b.newID()
		page.ReturnTo = with(page.RedirectURI, "confirmationCode", page.Code, "state", page.State)
	case approved || page.NokURI == "" || b.NokIgnored:
		page.ReturnTo = page.RedirectURI
	default:
		page.ReturnTo = page.NokURI
	}
	if page.Request == nil && page.Code == "" && (b.EchoState || b.Confirmation) {
		page.ReturnTo = with(page.ReturnTo, "state", page.State)
	}
	if err != nil {
		return "", err
	}
	a.Page = &page
	b.writeEntry(entry{Authorisation: a})
	return page.ReturnTo, nil
}

// denied is the error of an authorization request whose login ended with an outcome.
func denied(o bankpage.Outcome) *oauth.Error {
	if o == bankpage.Failed {
		return &oauth.Error{Code: "server_error", Text: "the bank has a technical error"}
	}
	return oauth.AccessDenied()
}

// with adds query parameters that are not empty to an address.
func with(address string, pairs ...string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // it was parsed by checkRedirect
	}
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if u.RawQuery != "" && len(q) > 0 {
		u.RawQuery += "&"
	}
	u.RawQuery += q.Encode()
	return u.String()
}

// confirm handles PUT authorisation of one on the page (docs/reference/families.md 2.4).
// The caller holds mu.
func (c *call) confirm(h *consentRecord, a *Authorisation) (response, *apiError) {
	if !c.Confirmation {
		return response{}, newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "this bank needs no confirmation")
	}
	right := true
	if c.Approach == OAuth {
		if len(c.body) > 0 {
			return response{}, formatError("the body must be empty")
		}
		if f := c.checkBearer(h.Consent); f != nil {
			return response{}, f
		}
	} else {
		var body struct {
			Code *string `json:"confirmationCode"`
		}
		if !decode(c.body, &body) || body.Code == nil {
			return response{}, formatError("the body is not a confirmation")
		}
		right = *body.Code == a.Page.Code
	}
	if a.Status != Unconfirmed {
		return response{}, newError(http.StatusConflict, "STATUS_INVALID", "there is nothing to confirm")
	}
	if right {
		c.applySCA(h, a, Confirmed{})
	} else {
		c.applySCA(h, a, OrderFailed{hintUnconfirmed})
	}
	return response{http.StatusOK, map[string]string{"ASPSP-SCA-Approach": "REDIRECT"}, map[string]any{
		"scaStatus": a.Status, "_links": map[string]link{"status": c.href("consents/" + h.ID + "/status")},
	}}, nil
}
