package source

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
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
		Cookies: []cookie{{Name: deviceCookie, Value: s.derive(step, "cookie"), Domain: hostname(base), Path: devicePath, Secure: true, HTTPOnly: true}},
	}
	return r
}

// hostname returns the host of an address, without its port; "" if there is none.
func hostname(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// device answers the request of a person's device. The answer has the proof that the source
// expects, so that a login goes on only if the device really made the request. Answers: 200;
// 404 for an unknown token; 400 if the method, the header, the cookie or the body is not as
// it was asked for, with the name of the one. The body is compared as JSON: the older form
// gives it as an object, which each device writes in its own way.
func (s *Service) device(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	at, known := s.byToken[r.PathValue("token")]
	s.mu.Unlock()
	if !known || at.session.script[at.step].Kind != stepDevice {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such request"})
		return
	}
	if part := differs(r, at.session.request(at.step, "")); part != "" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "the request is not the one that was asked for: " + part + " differs"})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", Path: devicePath, Secure: true, HttpOnly: true})
	writeJSON(w, http.StatusOK, map[string]string{"proof": at.session.derive(at.step, "proof")})
}

// differs names the part of a request that is not as it was asked for; "" if all is.
func differs(r *http.Request, wanted *deviceRequest) string {
	if r.Method != wanted.Method {
		return "the method"
	}
	if r.Header.Get(stepHeader) != wanted.Headers["x-device-step"] {
		return "the header " + stepHeader
	}
	if sent, err := r.Cookie(deviceCookie); err != nil || sent.Value != wanted.Cookies[0].Value {
		return "the cookie " + deviceCookie
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var sent, asked any
	if err != nil || json.Unmarshal(body, &sent) != nil || json.Unmarshal([]byte(wanted.Body), &asked) != nil || !reflect.DeepEqual(sent, asked) {
		return "the body"
	}
	return ""
}
