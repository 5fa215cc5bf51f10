package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// caseFile is the content of a case file.
type caseFile struct {
	Name     string `json:"-"` // of the file, without .json
	Case     string // what the bank does
	Concerns string // the area
	Input    input
	Expect   string // the required result in words
	Want     want
}

// input has the steps of a case, the bank's answers and the settings.
type input struct {
	Do      []string                   // the steps, in order
	Bank    []answer                   // the bank's answers
	Then    []answer                   // the answers after the step renew
	Config  map[string]json.RawMessage // members that are added to the bank's entry
	Granted json.RawMessage            // access of the standard consent
	Scope   map[string]any             // what the consent of a step sign is for
	Days    int                        // days that it is asked for
}

// answer is an answer of the scripted bank, and the condition for it.
type answer struct {
	Ask      string            // method and path below the base URL
	If       map[string]string // conditions on query parameters
	IfHeader map[string]string // conditions on headers
	Status   int
	Headers  map[string]string
	Body     json.RawMessage
	Text     *string // the body, in place of Body
	Latin1   bool
	Endless  string // the body of the first endlessAnswers answers, in place of Body
}

// want is the required result; each member that is not empty must hold.
type want struct {
	Consent      json.RawMessage // pattern for the status of the last consent
	Collection   json.RawMessage // pattern for the status of each collection
	Products     json.RawMessage // pattern for the products of each collection
	Same         []string        // members whose values all collections share
	Requests     map[string]int  // ask -> how many requests the bank may receive
	Instructions json.RawMessage // pattern for the instructions
	Unattended   json.RawMessage // pattern for the outcome of "start unattended x4"
	AnyOf        []want          // one of them must hold
}

// load reads the case files of a folder in the order of their names, with dates for a play
// that begins at this time.
func load(dir string, start time.Time) ([]caseFile, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no case files in %s", dir)
	}
	all := make([]caseFile, len(paths))
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if all[i], err = parse(shift(data, int(today(start).Sub(assumedToday)/day))); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		all[i].Name = strings.TrimSuffix(filepath.Base(path), ".json")
	}
	return all, nil
}

// parse reads a case. It refuses members and steps that it does not know: they would
// silently not be played.
func parse(data []byte) (caseFile, error) {
	var c caseFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return caseFile{}, err
	}
	for _, step := range c.Input.Do {
		if steps[step] == nil {
			return caseFile{}, fmt.Errorf("unknown step %q", step)
		}
	}
	return c, nil
}
