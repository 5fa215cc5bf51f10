package collections

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"samla/internal/dialogue"
	"samla/internal/jsontext"
)

// appendLogin appends the members of extraInformation for a login by dialogue, each with a
// comma before it.
func appendLogin(b []byte, s *dialogue.Shown) []byte {
	switch s.For {
	case dialogue.BankID:
		b = jsontext.AppendNonEmpty(b, `,"SWEDISH_BANKID_QRCODE":`, s.QRImage)
		if strings.HasPrefix(s.QRText, animated) {
			b = jsontext.AppendMember(b, `,"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA":`, s.QRText)
		}
		b = jsontext.AppendNonEmpty(b, `,"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":`, s.AutoStartToken)
	case dialogue.App, dialogue.EmailLink, dialogue.Page:
		b = jsontext.AppendNonEmpty(b, `,"QR_CODE_DATA":`, s.QRImage)
		b = jsontext.AppendNonEmpty(b, `,"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"authenticationInstruction":`, s.Message)
		if s.Message != "" {
			b = append(b, '}')
		}
	}
	b = jsontext.AppendNonEmpty(b, `,"REFERENCE_NUMBER":`, s.ReferenceNumber)
	b = jsontext.AppendNonEmpty(b, `,"REDIRECT_URL":`, s.URL)
	if s.Question != "" {
		b = appendQuestion(b, s)
	}
	return b
}

// animated begins the texts of BankID's animated QR codes (docs/reference/banks.md 12.5).
const animated = "bankid."

// appendQuestion appends what a question asks for. The id of a question for a code or a
// choice is in its instruction, that of any other in QUESTION_ID (ours).
func appendQuestion(b []byte, s *dialogue.Shown) []byte {
	if len(s.Choices) > 0 {
		b = append(b, `,"AVAILABLE_TWO_FACTOR_METHODS":[`...)
		for i := range s.Choices {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.AppendMember(b, `{"id":`, s.Choices[i].ID)
			b = append(jsontext.AppendMember(b, `,"name":`, s.Choices[i].Name), '}')
		}
		b = append(b, ']')
	}
	if len(s.Inputs) > 0 {
		b = append(b, `,"REQUIRED_INPUT_TYPES":[`...)
		for i, input := range s.Inputs {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.AppendString(b, input)
		}
		b = append(b, ']')
	}
	switch s.Kind {
	case dialogue.Code, dialogue.Method:
		b = jsontext.AppendMember(b, `,"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"questionId":`, s.Question)
		b = jsontext.AppendNonEmpty(b, `,"authenticationInstruction":`, s.Message)
		b = jsontext.AppendNonEmpty(b, `,"responseType":`, s.ResponseType)
		if s.AttemptsLeft != nil {
			b = strconv.AppendInt(append(b, `,"attemptsLeft":`...), int64(*s.AttemptsLeft), 10)
		}
		return append(b, '}')
	}
	if s.Device != nil {
		b = appendDevice(b, s)
	}
	return jsontext.AppendMember(b, `,"QUESTION_ID":`, s.Question)
}

// appendDevice appends the request of the person's device, in the form that the institution
// wants (docs/reference/api.md 9.5). A device makes the request of an etag once, so that a
// request without one has that of its question.
func appendDevice(b []byte, s *dialogue.Shown) []byte {
	r := &s.Device.Request
	key := `,"INSTRUCTIONS_V2":{"request":{"url":`
	if s.Device.Older {
		key = `,"INSTRUCTIONS":{"request":{"url":`
	}
	b = jsontext.AppendMember(b, key, r.URL)
	b = jsontext.AppendMember(b, `,"method":`, r.Method)
	b = jsontext.AppendMember(b, `,"etag":`, cmp.Or(r.Etag, s.Question))
	b = append(b, `,"headers":{`...)
	for i, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendMember(append(jsontext.AppendString(b, name), ':'), ``, r.Headers[name])
	}
	b = append(b, '}')
	switch {
	case r.Body == "":
	case s.Device.Older && isJSON(r.Body):
		b = append(append(b, `,"body":`...), r.Body...)
	default:
		b = jsontext.AppendMember(b, `,"body":`, r.Body)
	}
	b = append(b, `,"cookies":[`...)
	for i := range r.Cookies {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCookie(b, &r.Cookies[i])
	}
	return append(b, `]}}`...)
}

// isJSON reports whether a body can stand in the answer as the value that it is. One that is
// nested deeply, or has a key twice, stays a text: clients could not read the answer.
func isJSON(body string) bool {
	_, err := jsontext.Parse(body)
	return err == nil
}

func appendCookie(b []byte, c *dialogue.Cookie) []byte {
	b = jsontext.AppendMember(b, `{"name":`, c.Name)
	b = jsontext.AppendMember(b, `,"value":`, c.Value)
	b = jsontext.AppendNonEmpty(b, `,"domain":`, c.Domain)
	b = jsontext.AppendNonEmpty(b, `,"path":`, c.Path)
	b = strconv.AppendBool(append(b, `,"secure":`...), c.Secure)
	return append(strconv.AppendBool(append(b, `,"httpOnly":`...), c.HTTPOnly), '}')
}
