// Package views has the views of the operator's console: what stands now and whose fault it
// is, institutions over time, journeys of persons, permissions, webhooks, jobs, clients and
// certificates. A view reads the store in pages and makes a page of templates; what it shows
// holds ids, words of closed sets, times and counts, and nothing that is sealed.
//
// A list can be filtered by its address: client, company, user, status, period; after is the
// place where a page begins. An act is a POST, takes the role operator at least, and is in
// the audit log before it is carried out.
package views

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/authn"
	"samla/internal/availability"
	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/console"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/pages/look"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/webhooks"
)

// Measured are the figures of institutions (package uptime).
type Measured interface {
	// Measured returns what was counted of a company, by hours, oldest first. The last one
	// may go on.
	Measured(companyID string) []availability.Hour
}

// Chain is the chain of the audit log (package auditing).
type Chain interface {
	// Check verifies the end of the chain. nil: nothing is chained yet. Errors:
	// auditing.ErrTampered.
	Check(ctx context.Context) (*chain.Signed, error)
}

// Deps is what the views work with. All members but Zone are required.
type Deps struct {
	Store        store.Store
	Institutions institution.Institutions
	Health       *company.Health
	Audit        Chain
	Uptime       Measured
	Webhooks     *webhooks.Service
	Keys         *authn.Authenticator
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Zone         *time.Location // of the times that are shown; nil = Sweden's
}

//go:embed templates/*.html assets
var files embed.FS

var (
	kit    = look.Must(console.NewKit(files, "templates/*.html"))
	assets = func() *look.Bundle {
		b, err := look.NewBundle("/assets/", files, "assets/live.js")
		if err != nil {
			panic(err) // the file is part of the program
		}
		return b
	}()
)

type views struct {
	Deps
	now    *shared[standing]
	tiled  *shared[figures]
	needs  *shared[needs]
	groups sharedBy[window, []store.JourneyGroup]
}

// window is a length of time before now, of one client or of all.
type window struct {
	length   time.Duration
	clientID string
}

// groupsOf counts the links of a window by where they stand.
func (v *views) groupsOf(ctx context.Context, w window) ([]store.JourneyGroup, error) {
	return v.groups.get(ctx, w, func(ctx context.Context, now time.Time) ([]store.JourneyGroup, error) {
		return v.Store.JourneyGroups(ctx, now.Add(-w.length), now, w.clientID)
	})
}

// List returns the views, in the order of the navigation.
func List(d Deps) []console.View {
	if d.Zone == nil {
		d.Zone = clock.Sweden()
	}
	v := &views{Deps: d, now: newShared[standing](), tiled: newShared[figures](), needs: newShared[needs](), groups: newSharedBy[window, []store.JourneyGroup](d.Clock)}
	return []console.View{
		{Path: "/", Title: "Now", Handler: v.showNow},
		{Path: "/institutions", Title: "Institutions", Handler: v.listInstitutions, Count: v.countInstitutions},
		{Path: "/institutions/{id}", Handler: v.showInstitution, Narrow: lessTime(periods)},
		{Path: "POST /institutions/{id}/reach", Needs: operator.Acting, Handler: v.reachInstitution},
		{Path: "/journeys", Title: "Journeys", Handler: v.answer("JOURNEYS", "v/list", v.listJourneys), Narrow: fewerFilters},
		{Path: "/journeys/{id}", Handler: v.showJourney},
		{Path: "/users/{id}", Handler: v.showUser},
		{Path: "/funnel", Title: "Link to data", Handler: v.showFunnel, Narrow: lessTime(funnelPeriods)},
		{Path: "/permissions", Title: "Permissions", Handler: v.answer("PERMISSIONS", "v/list", v.listPermissions), Narrow: lessTime(permissionPeriods)},
		{Path: "/permissions/all", Handler: v.answer("CONSENTS", "v/list", v.listConsents), Narrow: fewerFilters},
		{Path: "/plans", Handler: v.answer("PLANS", "v/list", v.listPlans), Narrow: fewerFilters},
		{Path: "/collections", Handler: v.answer("COLLECTIONS", "v/list", v.listCollections), Narrow: fewerFilters},
		{Path: "/webhooks", Title: "Webhooks", Handler: v.answer("WEBHOOKS", "v/list", v.listEndpoints), Count: v.countEndpoints, Narrow: fewerFilters},
		{Path: "/webhooks/{id}", Handler: v.showEndpoint},
		{Path: "POST /webhooks/{id}/pause", Needs: operator.Acting, Handler: v.pauseEndpoint},
		{Path: "POST /webhooks/{id}/resume", Needs: operator.Acting, Handler: v.resumeEndpoint},
		{Path: "POST /webhooks/{id}/test", Needs: operator.Acting, Handler: v.testEndpoint},
		{Path: "POST /webhooks/{id}/replay", Needs: operator.Acting, Handler: v.replayEndpoint},
		{Path: "/webhooks/{id}/replay", Needs: operator.Acting, Handler: v.showRange},
		{Path: "POST /webhooks/{id}/replay-range", Needs: operator.Acting, Handler: v.replayRange},
		{Path: "/webhooks/{id}/secret", Needs: operator.Admin, Handler: v.showRotate},
		{Path: "POST /webhooks/{id}/secret", Needs: operator.Admin, Handler: v.rotateSecret},
		{Path: "/jobs", Title: "Jobs", Handler: v.listJobs, Count: v.countJobs},
		{Path: "POST /jobs/{queue}/retry", Needs: operator.Acting, Handler: v.retryQueue},
		{Path: "POST /jobs/{queue}/{id}/retry", Needs: operator.Acting, Handler: v.retryJob},
		{Path: "/jobs/{queue}/{id}/drop", Needs: operator.Acting, Handler: v.showDrop},
		{Path: "POST /jobs/{queue}/{id}/drop", Needs: operator.Acting, Handler: v.dropJob},
		{Path: "/clients", Title: "Clients and keys", Handler: v.listClients},
		{Path: "POST /clients/keys", Needs: operator.Admin, Handler: v.createKey},
		{Path: "POST /clients/keys/{id}/revoke", Needs: operator.Admin, Handler: v.revokeKey},
		{Path: "/certificates", Title: "Certificates", Handler: v.listCertificates, Count: v.countCertificates},
		{Path: "/versions", Title: "Versions", Handler: v.listVersions, Narrow: lessTime(versionPeriods)},
		{Path: "/audit", Title: "Audit log", Handler: v.answer("AUDIT", "v/list", v.listAudit), Narrow: lessAudit},
		{Path: "/find", Handler: v.find},
		{Path: "/assets/", Handler: assets.ServeHTTP},
	}
}

// record writes an act of an operator to the audit log, before it is carried out.
func (v *views) record(ctx context.Context, command string, about map[string]string) error {
	said := map[string]string{"operator": console.OperatorOf(ctx).ID}
	for name, value := range about {
		said[name] = value
	}
	return v.Store.RecordAccess(ctx, audit.OfCommand(v.IDs, "console: "+command, said, v.Clock.Now()))
}

// act records an act and carries it out. Then the browser goes to the page next; of an error
// the page says that it did not work.
func (v *views) act(w http.ResponseWriter, r *http.Request, next, command string, about map[string]string, do func(context.Context) error) {
	err := v.record(r.Context(), command, about)
	if err == nil {
		err = do(r.Context())
		v.needs.forget()
	}
	switch {
	case err == nil:
		http.Redirect(w, r, next, http.StatusSeeOther)
	case missing(err):
		console.Message(w, r, http.StatusNotFound, "It is not there any more", "Somebody else may have done it, or it went on by itself. Go back to see how it stands.")
	case fault.CodeOf(err) == fault.WebhookReplayRunning:
		console.Message(w, r, http.StatusConflict, "Another replay runs", "This endpoint has one replay of a range at a time. Wait until it is done.")
	case errors.Is(err, webhooks.ErrReplayed):
		console.Message(w, r, http.StatusConflict, "A replay has begun since you counted", "Nothing more is sent. If you sent this form twice, the first one has sent the events. Go back to the endpoint to see how it stands.")
	default:
		console.Fail(w, r, err)
	}
}
