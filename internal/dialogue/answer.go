package dialogue

import "encoding/json"

// Answer is the answer of the person, or of the person's device, to a question. Exactly
// one of Code, Choice, Inputs and Response is set (docs/reference/api.md 5.8).
type Answer struct {
	// Question is the id of the question that is answered; empty: the one that is open.
	Question string            `json:"question,omitzero"`
	Code     string            `json:"code,omitzero"`
	Choice   string            `json:"choice,omitzero"`
	Inputs   map[string]string `json:"inputs,omitzero"`
	Response *DeviceResponse   `json:"response,omitzero"`
}

// DeviceResponse is the response that the device got to its request. Header values and
// the body are as the client sent them.
type DeviceResponse struct {
	Headers json.RawMessage `json:"headers,omitzero"`
	Body    json.RawMessage `json:"body,omitzero"`
}
