package reference

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// document is a guide, as it is shown.
type document struct {
	Title   string
	Address string
	Heads   []head // of the second level
	body    string // HTML below the title
}

type head struct{ Text, ID string }

// library is all documents, and what can be found in them.
type library struct {
	byPath   map[string]*document
	sections []section
}

// section is what the search finds: the text below a heading, or an operation of the API.
type section struct {
	Title, Heading, Address string
	text                    string
	weight                  int

	// What a search compares, in lower case: made once.
	lower, title, heading string
	name                  string // of an operation
}

// newLibrary reads the documents. They are part of the program: what cannot be read is a
// fault of it.
func newLibrary(files fs.FS, versions []Version) *library {
	l := &library{byPath: map[string]*document{}}
	var names []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	offered := map[string]bool{}
	for _, g := range guides {
		for _, e := range g.list {
			offered[e[0]+".md"] = true
		}
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err)
		}
		d, err := render(files, name, text)
		if err != nil {
			panic(err)
		}
		l.byPath[d.Address] = d
		weight := 1
		if offered[name] {
			weight = 3
		}
		l.sections = append(l.sections, sectionsOf(d, string(text), weight)...)
	}
	for i, v := range versions {
		l.sections = append(l.sections, operationSections(v, 2-min(i, 1))...)
	}
	for i := range l.sections {
		s := &l.sections[i]
		s.title, s.heading = strings.ToLower(s.Title), strings.ToLower(s.Heading)
	}
	return l
}

var (
	headingRE = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	markupRE  = regexp.MustCompile("[`*|]+|\\]\\([^)]*\\)|\\[|^ *[-:| ]+$")
)

// sectionsOf splits a document at its headings.
func sectionsOf(d *document, text string, weight int) []section {
	ids := slugs{}
	all := []section{{Title: d.Title, Address: d.Address, weight: weight}}
	var b strings.Builder
	end := func() {
		s := &all[len(all)-1]
		s.text = strings.Join(strings.Fields(b.String()), " ")
		s.lower = strings.ToLower(s.text)
		b.Reset()
	}
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if found := headingRE.FindStringSubmatch(line); found != nil && !fenced {
			heading := plain(found[1])
			id := ids.next(found[1])
			if strings.HasPrefix(line, "# ") {
				continue
			}
			end()
			all = append(all, section{Title: d.Title, Heading: heading, Address: d.Address + "#" + id, weight: weight})
			continue
		}
		if !fenced {
			line = plain(line)
		}
		b.WriteString(line + "\n")
	}
	end()
	return all
}

func plain(markdown string) string {
	return strings.TrimSpace(markupRE.ReplaceAllString(markdown, " "))
}

// Operation is one of the API, in the list of a viewer.
type Operation struct{ Method, Path, Summary, Tag, ID string }

// operations lists those of a document, in its order of tags, then by path.
func operations(v Version) ([]Operation, error) {
	var doc struct {
		Tags  []struct{ Name string }
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(v.Document, &doc); err != nil {
		return nil, err
	}
	order := map[string]int{}
	for i, t := range doc.Tags {
		order[t.Name] = i
	}
	var all []Operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			var o struct {
				OperationID, Summary string
				Tags                 []string
			}
			if json.Unmarshal(doc.Paths[path][method], &o) != nil || o.OperationID == "" {
				continue
			}
			all = append(all, Operation{strings.ToUpper(method), path, o.Summary, strings.Join(o.Tags, ", "), o.OperationID})
		}
	}
	slices.SortStableFunc(all, func(a, b Operation) int { return cmp.Compare(order[a.Tag], order[b.Tag]) })
	return all, nil
}

func operationSections(v Version, weight int) []section {
	list, err := operations(v)
	if err != nil {
		panic(err)
	}
	all := make([]section, 0, len(list))
	for _, o := range list {
		s := section{Title: "API " + v.Name, Heading: o.Method + " " + o.Path, Address: Path + "/api/" + v.Name + "#/" + o.Tag + "/" + o.ID,
			text: o.Summary, lower: strings.ToLower(o.Summary + " " + o.ID), name: strings.ToLower(o.ID), weight: weight}
		all = append(all, s)
	}
	return all
}
