// Package registry reads the banks file and opens the institutions that are
// listed there. What is common to all entries is checked here; the rest of an
// entry belongs to its family. It knows no family: package institution/families
// lists them.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"samla/internal/institution"
	"samla/internal/profile"
	"samla/internal/strictjson"
)

// Registry lists the families, a row each. An entry of a banks file that names no
// family is of the first one.
type Registry []institution.Family

// File is a banks file that has been read and checked.
type File struct {
	name    string
	dir     string
	entries []entry
}

type entry struct {
	Entry
	config institution.Config
	other  bool // it is not of the family that is asked for, and may have faults
}

// Load reads a banks file: {"banks": [entry, ...]}. Members that
// are unknown or of the wrong type are faults; if an entry has none of them, its
// values are checked. All faults that were found are returned together.
// Relative paths in it start at the file's folder; the files that they name are
// read by Open. Errors: strictjson.Faults, or one that wraps that of the file
// system.
func (r Registry) Load(path string) (*File, error) { return r.load(path, "") }

// LoadOnly is Load of the entries of one family, for commands that are about no other: the
// others are not checked, and not opened. They still count for what is preferred to a bank of
// a gateway.
func (r Registry) LoadOnly(path, family string) (*File, error) { return r.load(path, family) }

func (r Registry) load(path, only string) (*File, error) {
	name := filepath.Base(path)
	data, err := os.ReadFile(path)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, fmt.Errorf("%s: read banks file: %w", name, err)
	}
	f, faults := r.parse(data, only)
	if len(faults) > 0 {
		return nil, faults.In(name)
	}
	f.name, f.dir = name, filepath.Dir(path)
	return f, nil
}

// parse decodes and checks a file, or only the entries of one family of it.
func (r Registry) parse(data []byte, only string) (*File, strictjson.Faults) {
	var text struct {
		Banks []json.RawMessage `json:"banks"`
	}
	if faults := strictjson.Decode(data, &text); len(faults) > 0 {
		return nil, faults
	}
	if len(text.Banks) == 0 {
		return nil, strictjson.Faults{{Pointer: "/banks", Problem: "is missing: list at least one bank"}}
	}
	f := &File{}
	var faults strictjson.Faults
	for i, raw := range text.Banks {
		e, found := r.entry(raw)
		if only != "" && r.familyOf(raw) != only {
			e.Company, e.other, found = nameOf(raw), true, nil
		}
		if !e.other && e.Company != "" && slices.ContainsFunc(f.entries, func(o entry) bool { return o.Company == e.Company }) {
			found.Add("/company", "names a bank that is listed already")
		}
		faults = append(faults, found.Under(pointerTo(i)).Called(nameOf(raw))...)
		f.entries = append(f.entries, e)
	}
	return f, faults
}

// familyOf returns the family that an entry names, or the first one.
func (r Registry) familyOf(raw []byte) string {
	named := struct {
		Family string `json:"family"`
	}{r[0].Name}
	_ = json.Unmarshal(raw, &named) // one of the wrong type is of no family that is asked for
	return named.Family
}

// nameOf returns the company of an entry for messages; empty if it has none in form.
func nameOf(raw []byte) string {
	var e struct {
		Company string `json:"company"`
	}
	if json.Unmarshal(raw, &e) != nil || !companyRE.MatchString(e.Company) {
		return ""
	}
	return e.Company
}

// pointerTo returns the JSON Pointer of an entry.
func pointerTo(index int) string { return fmt.Sprintf("/banks/%d", index) }

// Decode returns the configuration of one entry of a banks file, which may lack values.
// Errors: strictjson.Faults.
func (r Registry) Decode(raw []byte) (institution.Config, error) {
	e, faults := r.decode(raw)
	return e.config, faults.Called(nameOf(raw)).Err()
}

// entry decodes and checks one entry.
func (r Registry) entry(raw []byte) (entry, strictjson.Faults) {
	e, faults := r.decode(raw)
	if len(faults) > 0 {
		return e, faults
	}
	faults = append(e.check(), e.config.Check()...)
	for _, at := range profile.Unfilled(raw) {
		// What the value lacks is more than its form.
		faults = slices.DeleteFunc(faults, func(f *strictjson.Fault) bool { return f.Pointer == at })
		faults.Add(at, "is not filled in")
	}
	return e, faults
}

// decode decodes one entry. Its family decides which members it may have.
func (r Registry) decode(raw []byte) (entry, strictjson.Faults) {
	var e entry
	var named struct {
		Family *string `json:"family"`
	}
	family := r[0]
	// A family of the wrong type is found by Decode.
	if err := json.Unmarshal(raw, &named); err == nil && named.Family != nil {
		i := slices.IndexFunc(r, func(f institution.Family) bool { return f.Name == *named.Family })
		if i < 0 {
			var faults strictjson.Faults
			faults.Add("/family", fmt.Sprintf("is unknown: must be one of %q", r.names()))
			if json.Unmarshal(raw, &e.Entry) == nil { // the common members do not depend on it
				faults = append(faults, e.check()...)
			}
			return e, faults
		}
		family = r[i]
	}
	e.config = family.New()
	if faults := strictjson.Decode(raw, &e.Entry, e.config); len(faults) > 0 {
		return e, faults
	}
	e.Family = family.Name
	return e, nil
}

func (r Registry) names() []string {
	names := make([]string, len(r))
	for i, f := range r {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}

// Open opens every institution of the file. The caller closes the set. Errors:
// all of those that could not be opened, joined; then nothing is left open.
func (f *File) Open(d institution.Deps) (institution.Set, error) {
	d = d.WithDefaults()
	d.Dir = f.dir
	set := institution.Set{}
	var errs []error
	for i, e := range f.entries {
		if e.other {
			continue
		}
		opened, err := e.open(d, f.isInstitution)
		if err != nil {
			errs = append(errs, f.locate(i, err))
			continue
		}
		for _, one := range opened {
			if _, twice := set[one.Company.ID]; twice || one.Company.ID != e.Company && f.isInstitution(one.Company.ID) {
				var faults strictjson.Faults
				faults.Add("", fmt.Sprintf("opens %s, which another entry opens too", one.Company.ID))
				errs = append(errs, f.locate(i, faults))
				if one.Close != nil {
					one.Close()
				}
				continue
			}
			set[one.Company.ID] = one
		}
	}
	if len(errs) > 0 {
		set.Close()
		return nil, errors.Join(errs...)
	}
	return set, nil
}

// isInstitution reports whether an entry is an institution of this company id. An entry
// that opens many is none itself.
func (f *File) isInstitution(companyID string) bool {
	return slices.ContainsFunc(f.entries, func(e entry) bool {
		_, many := e.config.(institution.ManyConfig)
		return !many && e.Company == companyID
	})
}

// open returns the institutions of an entry: one, unless it opens many.
func (e entry) open(d institution.Deps, taken func(string) bool) ([]institution.Institution, error) {
	d.Log, d.Company, d.Traceparent = d.Log.With("company", e.Company), e.Company, e.Traceparent
	if many, ok := e.config.(institution.ManyConfig); ok {
		all, err := many.OpenAll(d, taken)
		return e.named(all), err
	}
	i, err := e.config.Open(d)
	if err != nil {
		return nil, err
	}
	i.Company, i.Family, i.Profile = e.company(i), e.Family, i.Profile.WithDefaults()
	return []institution.Institution{i}, nil
}

// named gives institutions of an entry of many what all of them have of the entry. What is
// told of them later has it, too.
func (e entry) named(all []institution.Institution) []institution.Institution {
	for n, i := range all {
		named := e
		named.Company, named.DisplayName = i.Company.ID, i.Company.DisplayName
		if i.Retired {
			named.LoginMethods = nil
		}
		all[n].Company, all[n].Family, all[n].Profile = named.company(i), e.Family, i.Profile.WithDefaults()
		all[n].Entry = e.Company
		if now := i.Now; now != nil {
			all[n].Now = func() []institution.Institution { return e.named(now()) }
		}
	}
	return all
}

// Configs yields the configurations of the entries with their company ids, in the order of
// the file.
func (f *File) Configs() iter.Seq2[string, institution.Config] {
	return func(yield func(string, institution.Config) bool) {
		for _, e := range f.entries {
			if e.other {
				continue
			}
			if !yield(e.Company, e.config) {
				return
			}
		}
	}
}

// locate adds the entry's place in the file to an error.
func (f *File) locate(index int, err error) error {
	var faults strictjson.Faults
	if errors.As(err, &faults) {
		return faults.Under(pointerTo(index)).Called(f.entries[index].Company).In(f.name)
	}
	return fmt.Errorf("%s: %s (%s): %w", f.name, pointerTo(index), f.entries[index].Company, err)
}
