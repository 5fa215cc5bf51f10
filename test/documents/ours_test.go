package documents

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ourDifferences are the operations of ours that are marked (x-samla), of 2026-04-01 only,
// and the schemas that they need, by the section of docs/reference/api.md that has them.
var ourDifferences = []difference{
	{"the list of lasting accounts (docs/reference/api.md 11.1)", `
		GET /accounts: is added
		GET /users/{id}/accounts: is added
		schema Account: is added
		schema AccountBalance: is added
		schema AccountEvidence: is added
		schema AccountEvidenceKind: is added
		schema AccountLink: is added
		schema AccountThrough: is added
		schema PossibleAccountMatch: is added`},
	{"changes of lasting accounts (docs/reference/api.md 11.3, 11.4)", `
		POST /accounts/{accountId}/merge: is added
		POST /accounts/{accountId}/split: is added
		DELETE /accounts/{accountId}: is added
		schema MergeAccountsRequest: is added
		schema SplitAccountRequest: is added
		schema SplitAccounts: is added`},
	{"transactions of lasting accounts (docs/reference/api.md 12.1)", `
		GET /accounts/{id}/transactions: is added
		schema AccountTransaction: is added
		schema TransactionPage: is added`},
	{"renewal in place (docs/reference/api.md 4.7)", `
		POST /consents/{consentId}/renew: is added
		schema RenewConsentRequest: is added`},
	{"reading without the user (docs/reference/api.md 4.8)", `
		GET /consents/{consentId}/access: is added
		PUT /users/{id}/refresh-plan: is added
		GET /users/{id}/refresh-plan: is added
		DELETE /users/{id}/refresh-plan: is added
		schema ConsentAccess: is added
		schema DataFreshness: is added
		schema LastRead: is added
		schema QueuedRead: is added
		schema RefreshPlan: is added
		schema RefreshPlanPart: is added
		schema RefreshPlanRequest: is added
		schema UnattendedAccess: is added`},
	{"measured availability (docs/reference/api.md 6.4)", `
		GET /status: is added
		schema AvailabilityFigures: is added
		schema InstitutionStatus: is added
		schema InstitutionsStatus: is added`},
	{"My permissions (docs/reference/api.md)", `
		POST /users/{userUuid}/permission-links: is added
		schema PermissionLink: is added
		schema PermissionLinkRequest: is added`},
	{"the connect page (docs/reference/api.md 13)", `
		POST /connect-links: is added
		GET /connect-links/{id}: is added
		schema ConnectFlow: is added
		schema ConnectLink: is added
		schema ConnectPerson: is added
		schema ConnectProduct: is added
		schema CreateConnectLinkRequest: is added
		schema NewConnectLink: is added`},
	{"management of webhooks (docs/reference/api.md 7.3)", `
		POST /webhook-endpoints: is added
		GET /webhook-endpoints: is added
		PATCH /webhook-endpoints/{id}: is added
		DELETE /webhook-endpoints/{id}: is added
		POST /webhook-endpoints/{id}/rotate-secret: is added
		POST /webhook-endpoints/{id}/pause: is added
		POST /webhook-endpoints/{id}/resume: is added
		POST /webhook-endpoints/{id}/test: is added
		GET /webhook-endpoints/{id}/deliveries: is added
		POST /webhook-endpoints/{id}/replay: is added
		GET /webhook-endpoints/{id}/replay: is added
		schema CreateWebhookEndpointRequest: is added
		schema ReplayWebhookEventsRequest: is added
		schema RotateWebhookSecretRequest: is added
		schema UpdateWebhookEndpointRequest: is added
		schema WebhookAttempt: is added
		schema WebhookEndpoint: is added
		schema WebhookEndpointSecret: is added
		schema WebhookReplay: is added
		schema WebhookReplayResponse: is added
		schema WebhookTest: is added`},
	{"the list of events (docs/reference/api.md 7.4)", `
		GET /events: is added
		schema Event: is added
		schema EventBody: is added
		schema EventPage: is added
		schema EventType: is added`},
}

// The marked operations are those of ourDifferences, and those that the table of routes marks
// as ours: none of the known API, and none that only one of the three has.
func TestOperations_OfOursAreMarkedAndListed(t *testing.T) {
	marked, all := map[string]bool{}, map[string]bool{}
	eachOperation(t, func(route string, ours bool) {
		all[route] = true
		if ours {
			marked[route] = true
		}
	})
	listed := map[string]bool{}
	for _, d := range ourDifferences {
		for line := range strings.Lines(d.changes) {
			if route, added := strings.CutSuffix(strings.TrimSpace(line), ": is added"); added && !strings.HasPrefix(route, "schema ") {
				listed[route] = true
			}
		}
	}
	documented := map[string]bool{}
	for route, ours := range tableOfRoutes(t) {
		if !all[route] {
			t.Errorf("the table of routes has %s, which is no operation", route)
		}
		if ours {
			documented[route] = true
		}
	}
	want := slices.Sorted(maps.Keys(marked))
	for name, set := range map[string]map[string]bool{"ourDifferences": listed, "the table of routes": documented} {
		if got := slices.Sorted(maps.Keys(set)); !slices.Equal(got, want) {
			t.Errorf("%s\n has %q\nmarked %q", name, got, want)
		}
	}
}

// eachOperation calls visit for each operation of each version. ours is whether it is marked.
func eachOperation(t *testing.T, visit func(route string, ours bool)) {
	t.Helper()
	for _, v := range versions(t) {
		for path, item := range v.root["paths"].(object) {
			for method, operation := range item.(object) {
				if o, ok := operation.(object); ok {
					visit(strings.ToUpper(method)+" "+path, o["x-samla"] == true)
				}
			}
		}
	}
}

// routeText is a method, or methods with a path, in a cell of the table of routes.
var routeText = regexp.MustCompile("`([A-Z]+)(?: (/[^`?]*)[^`]*)?`")

// tableOfRoutes returns the operations of the table in section 2 of docs/reference/api.md,
// and whether it marks them as ours.
func tableOfRoutes(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n## 2. Routes\n")
	section, _, found := strings.Cut(after, "\n## 3. ")
	if !found {
		t.Fatal("docs/reference/api.md has no section 2")
	}
	routes := map[string]bool{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		var methods []string // of the next path
		for _, m := range routeText.FindAllStringSubmatch(cells[2], -1) {
			if methods = append(methods, m[1]); m[2] == "" {
				continue
			}
			for _, method := range methods {
				routes[method+" "+m[2]] = strings.Contains(cells[2], "(ours)")
			}
			methods = nil
		}
	}
	return routes
}
