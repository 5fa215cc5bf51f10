package reference

import "strings"

// Group is a part of the documentation.
type Group struct {
	Name    string
	Entries []Entry
}

// Entry leads to a page.
type Entry struct {
	Label, Address string
	About          string // what one finds there, in a sentence
}

// guides are the documents in the order in which they are offered. What is not here can be
// found by the search and by links.
var guides = []struct {
	group string
	list  [][3]string // document without .md, label, what one finds there
}{
	{"Start", [][3]string{
		{"quick-start", "Quick start", "From nothing to a person's accounts, with curl, Go and TypeScript."},
		{"sandbox", "Sandbox", "Banks, institutions, persons and a phone to develop against."},
		{"terminal", "Terminal", "samla as a client: collect, list and export without a program."},
	}},
	{"Build", [][3]string{
		{"connect", "Connect page", "Let a page of this server do everything with the person."},
		{"webhooks", "Webhooks", "Receive, verify and replay what happened."},
		{"errors", "Errors", "Each code: who has to act, and what to do."},
		{"versions", "Versions", "Which version answers, and what may change in it."},
		{"reference/api", "API rules", "What the documents cannot say: limits, statuses, flows."},
		{"reference/products", "Products", "Each product and member, and where it comes from."},
	}},
	{"Institutions", [][3]string{
		{"institutions", "Institutions", "Families of banks, other sources, and how to add one."},
		{"coverage", "Coverage", "What is known of each bank, and how sure that is."},
		{"source-protocol/README", "Source protocol", "Connect an institution with a program of your own."},
	}},
	{"Operate", [][3]string{
		{"going-live", "Going live", "What to do before the first real person."},
		{"operate", "Operate", "Install, upgrade, rotate, incidents."},
		{"operate-console", "Console", "Who may sign in to the operator's console, and how."},
		{"operate-backup", "Backups", "Keys, backups and restoring."},
		{"observe", "Observe", "Metrics, alerts and traces."},
		{"audit", "Audit log", "What is in it, and what it proves."},
	}},
}

// groups returns everything that is offered. The viewers of the API come with what one
// builds with.
func (h *Handler) groups() []Group {
	all := make([]Group, 0, len(guides))
	for _, g := range guides {
		group := Group{Name: g.group}
		for _, e := range g.list {
			group.Entries = append(group.Entries, Entry{Label: e[1], Address: address(e[0] + ".md"), About: e[2]})
		}
		if g.group == "Build" {
			for i, v := range h.Versions {
				e := Entry{Label: "API " + v.Name, Address: Path + "/api/" + v.Name, About: "Every operation of an older version."}
				if i == 0 {
					e.About = "Every operation, parameter and answer of the newest version."
				}
				group.Entries = append(group.Entries, e)
			}
		}
		all = append(all, group)
	}
	return all
}

// address returns where a document is served: a folder's README.md at the folder.
func address(name string) string {
	name = strings.TrimSuffix(name, ".md")
	return Path + "/" + strings.TrimSuffix(name, "/README")
}
