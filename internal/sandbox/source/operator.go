package source

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// operatorPath is the path of the switches of the institutions.
const operatorPath = "/sandbox/sources"

// SourceInfo is what a client must configure to use an institution. BaseURL is the path
// below the sandbox's address.
type SourceInfo struct {
	Institution
	Path       string `json:"path"`
	Credential string `json:"credential"`
}

// Sources returns the institutions in the order of the sandbox.
func (s *Service) Sources() []SourceInfo {
	var list []SourceInfo
	for _, c := range s.companies {
		list = append(list, SourceInfo{c.Institution, BasePath + "/" + c.Credential, c.Credential})
	}
	return list
}

// listFaults answers with the fault of each institution.
func (s *Service) listFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	faults := map[string]Fault{}
	for _, c := range s.companies {
		faults[c.ID] = Fault{}
		if f := s.faults[c.ID]; f != nil {
			faults[c.ID] = *f
		}
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"faults": faults})
}

// putFault replaces the fault of an institution: 204, 400 for a body that is no Fault, 404
// for an unknown institution. A member or a value that is not known is refused: a fault
// that does nothing would make a test pass.
func (s *Service) putFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err = d.Decode(&f); err == nil {
			err = f.check()
		}
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "the body is no fault: " + err.Error()})
		return
	}
	if !s.SetFault(r.PathValue("institution"), f) {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such institution"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
