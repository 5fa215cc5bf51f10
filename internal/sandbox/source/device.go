package source

import (
	"io"
	"net/http"
	"strconv"
)

// devicePath is the path of what the device of a person calls (docs/reference/api.md 9.5).
const devicePath = "/sandbox/device"

// stepHeader and deviceCookie are what the device must send.
const (
	stepHeader   = "X-Device-Step"
	deviceCookie = "device"
)

// request is the request that the device makes in a step.
func (s *session) request(step int, base string) *deviceRequest {
	r := &deviceRequest{
		URL: base + devicePath + "/" + s.derive(step, "device"), Method: http.MethodPost, Etag: "e" + strconv.Itoa(step+1),
		Headers: map[string]string{"content-type": "application/json", "x-device-step": strconv.Itoa(step + 1)},
		Body:    `{"step":` + strconv.Itoa(step+1) + `}`,
		Cookies: []cookie{},
	}
	r.Cookies = append(r.Cookies, cookie{Name: deviceCookie, Value: s.derive(step, "cookie"), Path: devicePath, Secure: true, HTTPOnly: true})
	return r
}

// device answers the request of a person's device. The answer has the proof that the source
// expects, so that a login goes on only if the device really made the request. Answers: 200;
// 404 for an unknown token; 400 if the method, the header, the cookie or the body is not as
// it was asked for.
func (s *Service) device(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	at, known := s.byToken[r.PathValue("token")]
	s.mu.Unlock()
	if !known || at.session.script[at.step].Kind != stepDevice {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such request"})
		return
	}
	wanted := at.session.request(at.step, "")
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	sent, cookieErr := r.Cookie(deviceCookie)
	switch {
	case r.Method != wanted.Method, r.Header.Get(stepHeader) != wanted.Headers["x-device-step"],
		err != nil || string(body) != wanted.Body, cookieErr != nil || sent.Value != wanted.Cookies[0].Value:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "the request is not the one that was asked for"})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", Path: devicePath, Secure: true, HttpOnly: true})
	writeJSON(w, http.StatusOK, map[string]string{"proof": at.session.derive(at.step, "proof")})
}
