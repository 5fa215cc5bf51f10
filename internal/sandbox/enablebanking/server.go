package enablebanking

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"samla/internal/clock"
)

const maxBodyBytes = 64 << 10

// call is one request to the gateway.
type call struct {
	*Gateway
	r             *http.Request
	body          []byte
	session       string // path
	account       string // path: uid
	transactionID string // path
}

type handler func(*call) (any, *apiError)

// operation is one row of docs/reference/families.md 11.1. Its kind names it in Calls.
type operation struct {
	kind   string
	handle handler
	params []string // known query parameters
}

// routes are the operations. "*" matches one id.
var routes = map[string]map[string]operation{
	"application": {"GET": {"application", (*call).getApplication, nil}},
	"aspsps":      {"GET": {"aspsps", (*call).listBanks, []string{"country", "psu_type", "service", "payment_type"}}},
	"auth":        {"POST": {"auth", (*call).startLogin, nil}},
	"sessions":    {"POST": {"authorize-session", (*call).authorizeSession, nil}},
	"sessions/*": {
		"GET":    {"session", (*call).getSession, nil},
		"DELETE": {"delete-session", (*call).deleteSession, nil},
	},
	"accounts/*/details":        {"GET": {"details", (*call).getDetails, nil}},
	"accounts/*/balances":       {"GET": {"balances", (*call).getBalances, nil}},
	"accounts/*/transactions":   {"GET": {"transactions", (*call).listTransactions, []string{"date_from", "date_to", "continuation_key", "transaction_status", "strategy"}}},
	"accounts/*/transactions/*": {"GET": {"transaction", (*call).getTransaction, nil}},
}

// ServeHTTP handles all paths under Config.Path.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, g.pages.Prefix) {
		g.pages.ServeHTTP(w, r)
		return
	}
	c := &call{Gateway: g, r: r}
	op, known, f := c.route()
	if !known {
		writeError(w, f)
		return
	}
	fault := g.called(op.kind)
	if fault.Kind == Slow && clock.Sleep(r.Context(), g.Clock, slowFor) != nil {
		return
	}
	body, f := c.serve(op, f, fault)
	if f != nil {
		g.refused(f.Error)
		writeError(w, f)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		g.Log.Error("sandbox gateway: answer", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	fault.write(w, text)
}

// route finds the operation. It reports false for a path that the gateway does not have.
func (c *call) route() (operation, bool, *apiError) {
	path := strings.TrimPrefix(c.r.URL.Path, c.Path+"/")
	segments := strings.Split(path, "/")
	ids := [2]string{}
	for i := 1; i < len(segments) && i < 4; i += 2 {
		ids[i/2], segments[i] = segments[i], "*"
		if ids[i/2] == "" {
			return operation{}, false, refuse(http.StatusNotFound, "", "no such path")
		}
	}
	methods, ok := routes[strings.Join(segments, "/")]
	if !ok {
		return operation{}, false, refuse(http.StatusNotFound, "", "no such path")
	}
	op, ok := methods[c.r.Method]
	if !ok {
		return operation{}, false, refuse(http.StatusMethodNotAllowed, "", "no such method")
	}
	if segments[0] == "sessions" {
		c.session = ids[0]
	} else {
		c.account, c.transactionID = ids[0], ids[1]
	}
	for _, id := range []string{c.session, c.account} {
		if id != "" && !isUUID(id) {
			return op, true, wrong("an id in the path is no UUID")
		}
	}
	return op, true, nil
}

// serve authenticates the application before anything else, then runs the operation.
func (c *call) serve(op operation, f *apiError, fault Fault) (any, *apiError) {
	if refusal := authenticate(c.r, c.appID, c.Key, c.Clock.Now()); refusal != nil {
		return nil, refusal
	}
	if f == nil {
		f = c.checkQuery(op.params)
	}
	if f == nil {
		f = c.readBody()
	}
	if f != nil {
		return nil, f
	}
	if f := fault.refusal(); f != nil {
		return nil, f
	}
	return op.handle(c)
}

func (c *call) checkQuery(known []string) *apiError {
	for name, values := range c.r.URL.Query() {
		found := false
		for _, k := range known {
			found = found || k == name
		}
		if !found || len(values) != 1 || values[0] == "" {
			return wrong("a query parameter is unknown, empty or repeated")
		}
	}
	return nil
}

func (c *call) readBody() *apiError {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBodyBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || err != nil {
		return wrong("the body cannot be read")
	}
	c.body = body
	return nil
}

// decode parses the body, which has no unknown members.
func (c *call) decode(into any) *apiError {
	if kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return wrong("the body is not declared as JSON")
	}
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil || d.More() {
		return wrong("the body is malformed")
	}
	return nil
}

func writeError(w http.ResponseWriter, f *apiError) {
	body := map[string]any{"message": f.Message, "code": f.Code}
	if f.Error != "" {
		body["error"] = f.Error
	}
	if f.Detail != nil {
		body["detail"] = f.Detail
	}
	text, _ := json.Marshal(body) // texts and numbers: it cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.Code)
	_, _ = w.Write(text)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f' || s[i] >= 'A' && s[i] <= 'F'
		if dash != (s[i] == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
