package source

import (
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"samla/internal/clock"

	"github.com/google/uuid"
)

// BasePath begins the paths of the protocol: the base URL of an institution is the sandbox's
// address, BasePath, "/" and its credential.
const BasePath = "/sources"

// maxBody is the maximum size of a request in bytes.
const maxBody = 1 << 20

// Access is what a client must have to be let in.
type Access struct {
	Secret string                          // of BearerSecret
	Verify func([]*x509.Certificate) error // of ClientCertificate: the client's certificate chain
}

// Mount adds the protocol and the sandbox's own pages to mux.
func (s *Service) Mount(mux *http.ServeMux, a Access) {
	for _, credential := range []string{BearerSecret, ClientCertificate} {
		base := BasePath + "/" + credential + "/v1/"
		for route, call := range map[string]handler{
			"GET institutions":                s.listInstitutions,
			"POST sessions":                   s.beginSession,
			"GET sessions/{session}/turn":     s.getTurn,
			"POST sessions/{session}/answers": s.postAnswer,
			"POST sessions/{session}/pages":   s.postPage,
			"DELETE sessions/{session}":       s.deleteSession,
		} {
			method, path, _ := strings.Cut(route, " ")
			mux.HandleFunc(method+" "+base+path, s.serve(credential, a, call))
		}
		mux.HandleFunc(base, s.serve(credential, a, func(exchange) (int, any, error) {
			return 0, nil, &protocolError{status: http.StatusNotFound, Code: "BAD_REQUEST", Message: "the protocol has no such call"}
		}))
	}
	mux.HandleFunc("GET "+inboxPath, s.inbox)
	mux.HandleFunc("GET "+inboxPath+"/{token}", s.showLink)
	mux.HandleFunc("POST "+inboxPath+"/{token}", s.openLink)
	mux.HandleFunc(devicePath+"/{token}", s.device)
	mux.HandleFunc("GET "+operatorPath, s.listFaults)
	mux.HandleFunc("PUT "+operatorPath+"/{institution}/fault", s.putFault)
}

// exchange is one request of the protocol.
type exchange struct {
	r          *http.Request
	credential string
	requestID  string // of POST and DELETE
	base       string // address of the sandbox, as the client calls it
	body       []byte
}

// handler runs a call and returns its status and body; nil: no body.
type handler func(exchange) (int, any, error)

func (x exchange) session() string { return x.r.PathValue("session") }

// serve checks the credentials, then the request id and the body, then runs the call.
func (s *Service) serve(credential string, a Access, call handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !a.lets(credential, r) {
			writeError(w, unauthorized())
			return
		}
		x, err := read(credential, r)
		if err != nil {
			writeError(w, err)
			return
		}
		fault := s.takeFault(x)
		if fault.before(s.clock, w, r) {
			return
		}
		status, body, err := call(x)
		if err != nil {
			writeError(w, err)
			return
		}
		fault.write(w, status, body)
	}
}

// lets reports whether a request has a valid credential of a kind.
func (a Access) lets(credential string, r *http.Request) bool {
	if credential == ClientCertificate {
		return r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && a.Verify != nil && a.Verify(r.TLS.PeerCertificates) == nil
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && a.Secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(a.Secret)) == 1
}

func read(credential string, r *http.Request) (exchange, error) {
	x := exchange{r: r, credential: credential, base: "https://" + r.Host}
	if r.Method == http.MethodPost || r.Method == http.MethodDelete {
		id, err := uuid.Parse(r.Header.Get("Request-Id"))
		if err != nil {
			return x, badRequest("Request-Id must be a UUID")
		}
		x.requestID = id.String()
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return x, badRequest("the body is too large, or ends early")
	}
	x.body = body
	return x, nil
}

// decode decodes the body of a request. Unknown members are ignored.
func (x exchange) decode(to any) error {
	if json.Unmarshal(x.body, to) != nil {
		return badRequest("the body is not the JSON that this call takes")
	}
	return nil
}

func (s *Service) listInstitutions(x exchange) (int, any, error) {
	list := []Institution{}
	for _, c := range s.companies {
		if c.Credential == x.credential {
			i := c.Institution
			i.DeviceHosts = []string{x.r.Host}
			list = append(list, i)
		}
	}
	return http.StatusOK, map[string]any{"protocol": 1, "institutions": list}, nil
}

func (s *Service) beginSession(x exchange) (int, any, error) {
	var l login
	if err := x.decode(&l); err != nil {
		return 0, nil, err
	}
	if l.Institution == "" || l.LoginMethod == "" {
		return 0, nil, badRequest("a login has an institution and a loginMethod")
	}
	body, err := s.begin(x.credential, x.requestID, l, x.base)
	return http.StatusCreated, body, err
}

func (s *Service) getTurn(x exchange) (int, any, error) {
	t, err := s.current(x.credential, x.session(), x.base)
	return http.StatusOK, map[string]any{"turn": t}, err
}

func (s *Service) postAnswer(x exchange) (int, any, error) {
	var a answer
	if err := x.decode(&a); err != nil {
		return 0, nil, err
	}
	body, err := s.reply(x.credential, x.session(), x.requestID, a, x.base)
	return http.StatusOK, body, err
}

func (s *Service) postPage(x exchange) (int, any, error) {
	var request struct {
		Cursor *string `json:"cursor"`
	}
	if err := x.decode(&request); err != nil {
		return 0, nil, err
	}
	n, err := s.reading(x.credential, x.session())
	if err != nil {
		return 0, nil, err
	}
	at, err := pageNumber(request.Cursor)
	if err != nil {
		return 0, nil, err
	}
	if at < n.company.contentsOf(n.Login, n.person()).Empty {
		if err := clock.Sleep(x.r.Context(), s.clock, emptyWait); err != nil {
			return 0, nil, err
		}
	}
	p, err := pageOf(&n, at)
	if err != nil && s.isEndless(n.company.ID) {
		return http.StatusOK, page{}, nil // which the fault fills
	}
	return http.StatusOK, p, err
}

func (s *Service) deleteSession(x exchange) (int, any, error) {
	return http.StatusNoContent, nil, s.end(x.credential, x.session())
}

// writeError writes an error of the protocol. Any other error is a fault of the sandbox.
func writeError(w http.ResponseWriter, err error) {
	e := (*protocolError)(nil)
	if !errors.As(err, &e) {
		e = &protocolError{status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: "the sandbox cannot store the change"}
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, e.status, e)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // an error means that the connection is closed
}
