package strictjson

import "strings"

// Fault is a member that cannot be used.
type Fault struct {
	File    string // base name of the file; "" if it is not known
	Of      string // name of the part of the file, for people; "" if it has none
	Pointer string // JSON Pointer (RFC 6901); "" is the whole text
	Problem string // what is wrong and what to write; never the value itself
}

// Error implements error.
func (f *Fault) Error() string {
	var parts []string
	at := f.Pointer
	if f.Of != "" {
		at = strings.TrimSpace(at + " (" + f.Of + ")")
	}
	for _, part := range []string{f.File, at, f.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is everything that was found wrong. As an error it is one line per
// fault.
type Faults []*Fault

// Add appends a fault.
func (f *Faults) Add(pointer, problem string) {
	*f = append(*f, &Fault{Pointer: pointer, Problem: problem})
}

// Under returns the faults of a member at pointer as faults of the text that
// contains it.
func (f Faults) Under(pointer string) Faults {
	return f.each(func(fault *Fault) { fault.Pointer = pointer + fault.Pointer })
}

// Called returns the faults with the name of the part of the file that they are in.
func (f Faults) Called(name string) Faults {
	return f.each(func(fault *Fault) { fault.Of = name })
}

// In returns the faults with the name of the file that they are in.
func (f Faults) In(file string) Faults {
	return f.each(func(fault *Fault) { fault.File = file })
}

func (f Faults) each(change func(*Fault)) Faults {
	changed := make(Faults, len(f))
	for i, fault := range f {
		copied := *fault
		change(&copied)
		changed[i] = &copied
	}
	return changed
}

// Err returns the faults as an error, or nil if there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Error implements error.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}
