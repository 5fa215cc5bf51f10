// Package console is the console of operators: who is let in, who may see which view, and
// the layout of all views. What the views show is registered by others (View). The console
// has a listener of its own and is in English.
//
// A view makes a kit of its templates once (NewKit) and renders each page with Render, which
// adds navigation and operator. No page has an inline script or style, and nothing changes
// by a GET (docs/pages.md names two exceptions): a view that acts is registered with its
// method, such as "POST /jobs/{id}/retry".
package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
)

// View is a page of the console, or an act.
type View struct {
	// Path is a pattern of http.ServeMux such as "/jobs", "/institutions/{id}" or
	// "POST /jobs/{id}/retry". Without a method it is GET. "/" is the first page only.
	Path  string
	Title string        // in the navigation, in the order of the views; "" = not there
	Needs operator.Role // the least role; "" = viewer. Acts need an operator at least.
	// Handler is called for an operator who has the role; OperatorOf says who.
	Handler func(http.ResponseWriter, *http.Request)
	// Count returns how many things behind Title need a look, for the navigation; nil =
	// none. It is called for each page, so it must be cheap.
	Count func(context.Context) int
	// Narrow says what makes the page of a request quicker to read, and the address of that;
	// empty: nothing does. It is said when the reads took too long. nil = nothing.
	Narrow func(*http.Request) (text, address string)
}

// act reports whether the view changes something.
func (v View) act() bool {
	method, _, with := strings.Cut(v.Path, " ")
	return with && method != http.MethodGet
}

// Deps is what the console works with.
type Deps struct {
	Views []View
	// Operators signs people in; nil = only Hook does.
	Operators *operators.Service
	// Doors lets people in by the links of Operators.Door; only samla dev has them.
	Doors bool
	// Hook signs an operator in without a session; nil = nobody. Only samla dev and tests
	// have one.
	Hook func(*http.Request) (operator.Operator, bool)
	// URL returns the address of the console in browsers, such as "http://localhost:8081".
	// Requests for another host are refused. Required.
	URL func() string
	Env string // a word beside the name, such as "sandbox"; "" = none
	Log *slog.Logger
	// Zone is that of the times that pages show, which they name; nil = Sweden's.
	Zone *time.Location
	// ReadTime is how long everything that a page reads may take together; 0 = 10 s.
	ReadTime time.Duration
}

type handler struct {
	Deps
	kit     *look.Kit
	outside *look.Kit // of who has not signed in
	mux     *http.ServeMux
	own     *http.CrossOriginProtection
	navs    []View
}

// New returns the handler of the console. It panics for a view that cannot be: views are
// part of the program.
func New(d Deps) http.Handler {
	if d.ReadTime == 0 {
		d.ReadTime = readTime
	}
	kit := look.Must(newKit(d.Zone, nil))
	d.Zone = kit.Zone() // Sweden's, unless another one is given
	h := &handler{Deps: d, kit: kit, outside: look.Must(newOutside(d.Zone)), mux: http.NewServeMux(), own: http.NewCrossOriginProtection()}
	h.mux.Handle("GET "+look.AssetPath, look.Assets)
	h.mux.Handle("GET "+assetPath, assets)
	for _, v := range d.Views {
		h.add(v)
	}
	if d.Operators != nil {
		h.addOwn()
	}
	h.mux.HandleFunc("/", h.signedIn(operator.Viewer, func(w http.ResponseWriter, r *http.Request) {
		Message(w, r, http.StatusNotFound, "There is no such page", "The address is wrong, or what it shows is gone.")
	}, nil))
	return look.Secured(onlyHere(h.URL, h.own.Handler(http.MaxBytesHandler(h.limited(h.mux), maxAnswer))))
}

func (h *handler) add(v View) {
	if v.Needs == "" {
		v.Needs = operator.Viewer
	}
	if v.act() && !v.Needs.Covers(operator.Acting) {
		panic(fmt.Sprintf("console: the view %q acts and needs only the role %q", v.Path, v.Needs))
	}
	pattern := v.Path
	if !strings.Contains(pattern, " ") {
		pattern = "GET " + pattern
	}
	if strings.HasSuffix(pattern, " /") {
		pattern += "{$}"
	}
	h.mux.HandleFunc(pattern, h.signedIn(v.Needs, v.Handler, v.Narrow))
	if v.Title != "" {
		h.navs = append(h.navs, v)
	}
}

// addOwn adds the pages about operators, and those without a session.
func (h *handler) addOwn() {
	for pattern, open := range map[string]http.HandlerFunc{
		"GET /sign-in": h.showSignIn, "POST /sign-in": h.trySignIn, "POST /sign-in/passkey": h.beginPasskey, "POST /sign-in/passkey/{id}": h.passkey,
		"GET " + operators.EnrolPath + "{secret}": h.showEnrol, "POST " + operators.EnrolPath + "{secret}/password": h.enrolCodes, "POST " + operators.EnrolPath + "{secret}/password/confirm": h.enrolPassword,
		"POST " + operators.EnrolPath + "{secret}/passkey": h.beginEnrolPasskey, "POST " + operators.EnrolPath + "{secret}/passkey/{id}": h.enrolPasskey,
	} {
		h.mux.HandleFunc(pattern, open)
	}
	if h.Doors {
		h.mux.HandleFunc("GET "+operators.DoorPath+"{secret}", h.showDoor)
		h.mux.HandleFunc("POST "+operators.DoorPath+"{secret}", h.enterDoor)
	}
	// What everybody does with their own sign-in is no act on anything else.
	for pattern, mine := range map[string]http.HandlerFunc{
		"GET /me": h.showMe, "POST /sign-out": h.signOut, "POST /me/sessions/end": h.endMine,
		"GET " + provePath: h.showProve, "POST " + provePath: h.prove, "POST " + provePath + "/passkey": h.beginPasskey, "POST " + provePath + "/passkey/{id}": h.provePasskey,
		"POST /me/passkey": h.fresh(0, page("/me"), h.beginMyPasskey), "POST /me/passkey/{id}": h.fresh(formTime, page("/me"), h.addMyPasskey), "POST /me/passkey/remove": h.fresh(0, page("/me"), h.removeMyPasskey),
		"GET /me/password": h.fresh(0, page("/me/password"), h.myCodes), "POST /me/password/confirm": h.fresh(formTime, page("/me/password"), h.setPassword),
	} {
		h.mux.HandleFunc(pattern, h.signedIn(operator.Viewer, mine, nil))
	}
	for _, v := range []View{
		{Path: "/operators", Title: "Operators", Handler: h.showPeople}, {Path: "POST /operators", Handler: h.fresh(0, typed, h.addPerson)},
		{Path: "POST /operators/{id}/role", Handler: h.fresh(0, page("/operators"), h.setRole)}, {Path: "POST /operators/{id}/end", Handler: h.endTheirs},
		{Path: "POST /operators/{id}/reset", Handler: h.fresh(0, page("/operators"), h.resetPerson)}, {Path: "POST /operators/{id}/remove", Handler: h.fresh(0, page("/operators"), h.removePerson)},
	} {
		v.Needs = operator.Admin
		h.add(v)
	}
}

type frameKey struct{}

// frame is what the layout of a request needs.
type frame struct {
	of      *handler
	by      operator.Operator
	session operator.Session
	narrow  func(*http.Request) (text, address string) // of the view
}

func (h *handler) with(r *http.Request, f frame) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), frameKey{}, f))
}

func frameOf(ctx context.Context) frame {
	f, _ := ctx.Value(frameKey{}).(frame)
	return f
}

// OperatorOf returns the operator whom a view is called for.
func OperatorOf(ctx context.Context) operator.Operator { return frameOf(ctx).by }
