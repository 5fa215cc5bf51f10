// Package console is the console of operators: who is let in, who may see which view, and
// the layout of all views. What the views show is registered by others (View). The console
// has a listener of its own and is in English.
//
// A view makes a kit of its templates once (NewKit) and renders each page with Render, which
// adds navigation and operator. No page has an inline script or style, and nothing changes
// by a GET: a view that acts is registered with its method, such as "POST /jobs/{id}/retry".
package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"samla/internal/operator"
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
}

// act reports whether the view changes something.
func (v View) act() bool {
	method, _, with := strings.Cut(v.Path, " ")
	return with && method != http.MethodGet
}

// Deps is what the console works with.
type Deps struct {
	Views []View
	// Hook signs an operator in without a session; nil = nobody. Only samla dev and tests
	// have one.
	Hook func(*http.Request) (operator.Operator, bool)
	// URL returns the address of the console in browsers, such as "http://localhost:8081".
	// Requests for another host are refused. Required.
	URL func() string
	Env string // a word beside the name, such as "sandbox"; "" = none
	Log *slog.Logger
}

type handler struct {
	Deps
	kit  *look.Kit
	mux  *http.ServeMux
	own  *http.CrossOriginProtection
	navs []View
}

// New returns the handler of the console. It panics for a view that cannot be: views are
// part of the program.
func New(d Deps) http.Handler {
	h := &handler{Deps: d, kit: look.Must(NewKit(nil)), mux: http.NewServeMux(), own: http.NewCrossOriginProtection()}
	h.mux.Handle("GET "+look.AssetPath, look.Assets)
	for _, v := range d.Views {
		h.add(v)
	}
	h.mux.HandleFunc("/", h.signedIn(operator.Viewer, func(w http.ResponseWriter, r *http.Request) {
		Message(w, r, http.StatusNotFound, "There is no such page", "The address is wrong, or what it shows is gone.")
	}))
	return look.Secured(onlyHere(h.URL, h.own.Handler(h.mux)))
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
	h.mux.HandleFunc(pattern, h.signedIn(v.Needs, v.Handler))
	if v.Title != "" {
		h.navs = append(h.navs, v)
	}
}

// signedIn lets an operator with a role through, and shows the others why not.
func (h *handler) signedIn(needs operator.Role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, ok := h.whose(r)
		if !ok {
			http.Error(w, "Sign in first.", http.StatusUnauthorized)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), frameKey{}, frame{h, o}))
		if !o.Role.Covers(needs) {
			Message(w, r, http.StatusForbidden, "This takes the role "+string(needs),
				"You are signed in as "+o.Name+", with the role "+string(o.Role)+". An admin can give you another role.")
			return
		}
		next(w, r)
	}
}

func (h *handler) whose(r *http.Request) (operator.Operator, bool) {
	if h.Hook != nil {
		return h.Hook(r)
	}
	return operator.Operator{}, false
}

type frameKey struct{}

// frame is what the layout of a request needs.
type frame struct {
	of *handler
	by operator.Operator
}

func frameOf(ctx context.Context) frame {
	f, _ := ctx.Value(frameKey{}).(frame)
	return f
}

// OperatorOf returns the operator whom a view is called for.
func OperatorOf(ctx context.Context) operator.Operator { return frameOf(ctx).by }
