package views

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/client"
	"samla/internal/console"
	"samla/internal/institution"
)

// listClients lists clients and their keys.
func (v *views) listClients(w http.ResponseWriter, r *http.Request) {
	names, clients, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	keys, err := v.Store.APIKeys(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	uses, err := v.Store.UsesSince(r.Context(), v.Clock.Now().Add(-client.KeepUse))
	if err != nil {
		failed(w, r, err)
		return
	}
	lastOf, requests := map[string]time.Time{}, map[string]int64{} // by client, and by key
	for _, u := range uses {
		for _, by := range []string{u.ClientID, u.KeyID} {
			if u.LastAt.After(lastOf[by]) {
				lastOf[by] = u.LastAt
			}
			requests[by] += u.Requests
		}
	}
	valid := map[string]int{}
	for _, k := range keys {
		if k.Valid() {
			valid[k.ClientID]++
		}
	}
	ct := table{ID: "clients", Title: "Clients", Caption: "Clients", Heads: heads("Client", "Id", "Made", "Valid keys>", "Requests, 90 d>", "Last seen"), Empty: "No client yet. “samla key create NAME” makes one with its first key."}
	for _, c := range clients {
		n := text(number(valid[c.ID]))
		if valid[c.ID] == 0 {
			n = cell{Text: "0", Sub: "it cannot call"}
		}
		ct.Rows = append(ct.Rows, []cell{{Text: c.Name, Href: "/journeys?client=" + c.ID}, id(c.ID, ""), v.timeCell(c.CreatedAt), n, text(number(int(requests[c.ID]))), v.timeCell(lastOf[c.ID])})
	}
	kt, err := listed(r, func(after string, limit int) ([]client.Key, error) {
		if i := slices.IndexFunc(keys, func(k client.Key) bool { return k.ID == after }); i >= 0 {
			return keys[i+1 : min(len(keys), i+1+limit)], nil
		}
		return keys[:min(len(keys), limit)], nil
	}, func(k client.Key) string { return k.ID }, func(some []client.Key) table {
		return v.keyTable(some, names, lastOf, console.OperatorOf(r.Context()).Role.May("administer"))
	})
	if err != nil {
		failed(w, r, err)
		return
	}
	v.show(w, r, "CLIENTS", "v/clients", page{Title: "Clients and keys", Lead: "To rotate a key, make a new one, put it to use, then end the old one. Both work meanwhile.", Tables: []table{ct, kt}, Data: clients})
}

// keyTable lists keys, with the last use of each.
func (v *views) keyTable(keys []client.Key, names map[string]string, lastOf map[string]time.Time, admin bool) table {
	t := table{ID: "keys", Title: "Keys", Caption: "API keys, the newest first", Heads: heads("Key", "Client", "Id", "Made", "Last used", "State", ""), Empty: "No key yet."}
	idle := v.Clock.Now().Add(-unusedKey)
	for _, k := range keys {
		name := cmp.Or(k.Name, "without a name")
		row := []cell{text(name), text(names[k.ClientID]), id(k.ID, ""), v.timeCell(k.CreatedAt), v.timeCell(lastOf[k.ID]), {Text: "Valid", Chip: "good", Icon: "check"}, text("")}
		switch {
		case !k.Valid():
			row[5] = cell{Text: "Ended", Sub: v.at(k.RevokedAt)}
		case lastOf[k.ID].Before(idle) && k.CreatedAt.Before(idle):
			row[5] = cell{Text: "Unused", Chip: "warn", Icon: "warn", Sub: "for " + took(unusedKey) + ": end it"}
		}
		if k.Valid() && admin {
			row[6] = cell{Acts: []act{{Action: "/clients/keys/" + k.ID + "/revoke", Label: "End", Kind: "stop", Hidden: "the key " + name + " of " + names[k.ClientID]}}}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// unusedKey is after which time without a request a key is better ended.
const unusedKey = 30 * 24 * time.Hour

// versionPeriods are those of the use of versions.
var versionPeriods = []period{{Name: "7 d", Length: 7 * 24 * time.Hour}, {Name: "30 d", Length: 30 * 24 * time.Hour}, {Name: "90 d", Length: client.KeepUse}}

// listVersions shows which versions of the API clients use.
func (v *views) listVersions(w http.ResponseWriter, r *http.Request) {
	names, _, err := v.names(r)
	if err != nil {
		failed(w, r, err)
		return
	}
	p, links := choosePeriod(r, versionPeriods)
	uses, err := v.Store.UsesSince(r.Context(), client.DayOf(v.Clock.Now()).Add(24*time.Hour-p.Length))
	if err != nil {
		failed(w, r, err)
		return
	}
	type row struct {
		client, version   string
		requests, unnamed int64
		last              time.Time
	}
	var rows []row
	totals := map[string]int64{}
	for _, u := range uses {
		i := slices.IndexFunc(rows, func(x row) bool { return x.client == u.ClientID && x.version == u.Version })
		if i < 0 {
			i, rows = len(rows), append(rows, row{client: u.ClientID, version: u.Version})
		}
		rows[i].requests += u.Requests
		if !u.Named {
			rows[i].unnamed += u.Requests
		}
		if u.LastAt.After(rows[i].last) {
			rows[i].last = u.LastAt
		}
		totals[u.ClientID] += u.Requests
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(names[a.client], names[b.client]), strings.Compare(b.version, a.version))
	})
	t := table{Caption: "Requests by client and version", Heads: heads("Client", "Version", "Requests>", "Share of the client's>", "Without the header>", "Last"), Empty: "No client has called in this time."}
	for _, x := range rows {
		unnamed := text(number(int(x.unnamed)))
		if x.unnamed > 0 {
			unnamed.Sub = "they get the oldest version"
		}
		t.Rows = append(t.Rows, []cell{text(names[x.client]), text(x.version), text(number(int(x.requests))), text(share(int(x.requests), int(totals[x.client]))), unnamed, v.timeCell(x.last)})
	}
	v.show(w, r, "VERSIONS", "v/list", page{Title: "Versions in use", Lead: "A version can be retired when nobody uses it any more.", Periods: links, Tables: []table{t}})
}

// createKey makes a key and shows it once.
func (v *views) createKey(w http.ResponseWriter, r *http.Request) {
	name, keyName := strings.TrimSpace(r.PostFormValue("client")), strings.TrimSpace(r.PostFormValue("name"))
	if name == "" || len(name) > maxName || len(keyName) > maxName {
		console.Message(w, r, http.StatusBadRequest, "Whose key?", "A key needs the name of its client, of at most 100 characters.")
		return
	}
	if err := v.record(r.Context(), "create key", nil); err != nil {
		failed(w, r, err)
		return
	}
	k, secret, err := v.Keys.CreateKey(r.Context(), name, keyName, "")
	if err != nil {
		failed(w, r, err)
		return
	}
	v.show(w, r, "KEY", "v/secret", page{Title: "The new key of " + name, Crumb: link{Text: "Clients and keys", Address: "/clients"},
		Data: shownOnce{What: "The key", Secret: secret, After: "Its id is " + k.ID + ".", Back: link{Text: "Back to clients and keys", Address: "/clients"}}})
}

// maxName is the longest name of a client or key.
const maxName = 100

// revokeKey ends a key.
func (v *views) revokeKey(w http.ResponseWriter, r *http.Request) {
	keyID := r.PathValue("id")
	v.act(w, r, "/clients#keys", "revoke key", map[string]string{"key": keyID}, func(ctx context.Context) error { return v.Keys.RevokeKey(ctx, keyID) })
}

// certificate is one of ours, or where it is used.
type certificate struct {
	use, at, id string
	until       time.Time
}

// certificates lists our certificates, the first to end first.
func (v *views) certificates() (all []certificate) {
	for _, i := range v.Institutions.All() {
		for _, c := range i.Certificates {
			all = append(all, certificate{c.Use, i.Company.DisplayName, i.Company.ID, c.Until})
		}
	}
	slices.SortFunc(all, func(a, b certificate) int {
		return cmp.Or(a.until.Compare(b.until), strings.Compare(a.id, b.id), strings.Compare(a.use, b.use))
	})
	return all
}

// countCertificates counts those that end within a month, or have ended.
func (v *views) countCertificates(context.Context) (n int) {
	for _, c := range v.certificates() {
		if c.until.Sub(v.Clock.Now()) < institution.WarnBefore {
			n++
		}
	}
	return n
}

// listCertificates lists our certificates and when they end.
func (v *views) listCertificates(w http.ResponseWriter, r *http.Request) {
	now := v.Clock.Now()
	t := table{Caption: "Certificates, the first to end first", Heads: heads("Certificate", "Used at", "Ends", "Left", "State"), Empty: "No institution is called with a certificate of ours."}
	all := v.certificates()
	for _, c := range all {
		left, state := c.until.Sub(now), text("Valid")
		switch {
		case left < 0:
			state = cell{Text: "Ended", Chip: "bad", Icon: "bad"}
		case left < institution.WarnBefore:
			state = cell{Text: "Ends soon", Chip: "warn", Icon: "warn"}
		}
		t.Rows = append(t.Rows, []cell{text(c.use), {Text: c.at, Href: "/institutions/" + c.id}, text(c.until.In(v.Zone).Format("2 January 2006")), text(v.ago(c.until)), state})
	}
	n := &note{Well: true, Strong: "No certificate ends within 30 days."}
	if soon := v.countCertificates(r.Context()); soon > 0 {
		n = &note{Strong: count(soon, "certificate ends", "certificates end") + " within 30 days, or has ended.", Text: "The next is the " + all[0].use + " at " + all[0].at + ", on " + all[0].until.In(v.Zone).Format("2 January 2006") + ". Install its successor and restart."}
	}
	v.show(w, r, "CERTIFICATES", "v/list", page{Title: "Certificates", Note: n, Tables: []table{t}})
}
