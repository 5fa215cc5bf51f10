package source

import (
	"context"
	"net/http"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/jsontext"
)

// The limits of bodies and of exchanges (docs/source-protocol/README.md, Rules). A connector
// may end an exchange sooner, and repeat it.
const (
	MaxBody = 1 << 20
	MaxPage = 16 << 20

	MaxCallTime = 15 * time.Second
	MaxPageTime = 60 * time.Second
)

// call is one request to the source.
type call struct {
	method    string
	path      []string // segments below v1
	requestID string
	body      any // nil = none
	within    time.Duration
	maxBody   int64
}

// inSession reports whether the call is about a session that has begun.
func (c call) inSession() bool { return len(c.path) > 1 }

// exchange sends a request and returns the body of a successful answer. Errors: *institution.Error.
func (s *Source) exchange(ctx context.Context, c call) ([]byte, error) {
	failed := func(kind institution.ErrorKind) error { return &institution.Error{Kind: kind, RequestID: c.requestID} }
	target, err := s.client.NewTarget(nil, append([]string{"v1"}, c.path...)...)
	if err != nil {
		return nil, failed(institution.SessionGone) // the only segment that is not ours is a session
	}
	var body []byte
	if c.body != nil {
		if body, err = jsontext.Marshal(c.body); err != nil || len(body) > MaxBody {
			return nil, failed(institution.Refused)
		}
	}
	resp, err := s.client.Do(ctx, httpclient.Request{Method: c.method, Target: target, Header: s.header(c.requestID, body != nil),
		Body: body, MaxBody: c.maxBody, Total: c.within, Room: institution.RoomOf(ctx)})
	if err != nil {
		return nil, httperror.Transport(err, c.requestID)
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, refusal(c, resp, s.clock.Now())
	}
	return resp.Body, nil
}

// small returns a call whose answer is small.
func (s *Source) small(method, requestID string, body any, path ...string) call {
	if requestID == "" {
		requestID = s.newID()
	}
	return call{method: method, path: path, requestID: requestID, body: body, within: s.config.Limits.calls(), maxBody: MaxBody}
}

// page returns the call for a page of data.
func (s *Source) page(session, cursor string) call {
	body := pageRequest{}
	if cursor != "" {
		body.Cursor = &cursor
	}
	return call{method: http.MethodPost, path: []string{"sessions", session, "pages"}, requestID: pageID(session, cursor),
		body: body, within: s.config.Limits.pages(), maxBody: MaxPage}
}

type pageRequest struct {
	Cursor *string `json:"cursor"`
}
