package source

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"samla/internal/dialogue"
)

type wireWait struct {
	For             string `json:"for"`
	AutoStartToken  string `json:"autoStartToken"`
	QRText          string `json:"qrText"`
	QRSecret        string `json:"qrSecret"`
	QRStartToken    string `json:"qrStartToken"`
	QRStartedAt     string `json:"qrStartedAt"` // date-time
	QRImage         string `json:"qrImage"`
	ReferenceNumber string `json:"referenceNumber"`
	URL             string `json:"url"`
	Message         string `json:"message"`
}

var places = []dialogue.Place{dialogue.BankID, dialogue.App, dialogue.EmailLink, dialogue.Page, dialogue.Source}

const (
	maxToken     = 200       // bytes
	maxQRText    = 1000      // bytes; a code of version 25 holds as many
	maxQRImage   = 256 << 10 // bytes in base64
	maxReference = 50        // characters
	maxURL       = 2000      // bytes
)

func (r *reader) wait(raw json.RawMessage) *dialogue.Wait {
	var in wireWait
	if !r.decode("/turn", raw, &in) {
		return nil
	}
	if !slices.Contains(places, dialogue.Place(in.For)) {
		r.add("/turn/for", "must be BANKID, APP, EMAIL_LINK, PAGE or SOURCE")
	}
	r.id("/turn/autoStartToken", in.AutoStartToken, maxToken, false)
	r.id("/turn/qrText", in.QRText, maxQRText, false)
	startedAt := r.qr(in)
	if in.URL != "" {
		if _, problem := secureURL(in.URL); problem != "" {
			r.add("/turn/url", problem)
		}
	} else if in.For == string(dialogue.Page) {
		r.add("/turn/url", "is missing: the person has to open a page")
	}
	return &dialogue.Wait{For: dialogue.Place(in.For), AutoStartToken: in.AutoStartToken, QRText: in.QRText,
		QRSecret: in.QRSecret, QRStartToken: in.QRStartToken, QRStartedAt: startedAt, QRImage: in.QRImage,
		ReferenceNumber: r.text("/turn/referenceNumber", in.ReferenceNumber, maxReference),
		URL:             in.URL, Message: r.text("/turn/message", in.Message, maxMessage)}
}

// qr checks the three forms of a QR code. There is one at most. It returns when the seconds
// of an animated one begin.
func (r *reader) qr(in wireWait) (startedAt time.Time) {
	r.id("/turn/qrSecret", in.QRSecret, maxToken, false)
	r.id("/turn/qrStartToken", in.QRStartToken, maxToken, in.QRSecret != "")
	switch {
	case in.QRSecret != "" && in.QRStartedAt == "":
		r.add("/turn/qrStartedAt", "is missing beside qrSecret")
	case in.QRSecret == "" && in.QRStartToken != "":
		r.add("/turn/qrSecret", "is missing beside qrStartToken")
	}
	startedAt = r.time("/turn/qrStartedAt", in.QRStartedAt)
	forms := 0
	for _, form := range []string{in.QRText, in.QRSecret, in.QRImage} {
		if form != "" {
			forms++
		}
	}
	if forms > 1 {
		r.add("/turn", "has more than one of qrText, qrSecret and qrImage")
	}
	if in.QRImage == "" {
		return startedAt
	}
	if len(in.QRImage) > maxQRImage {
		r.add("/turn/qrImage", "is too long")
	} else if image, err := base64.StdEncoding.DecodeString(in.QRImage); err != nil || !bytes.HasPrefix(image, []byte("\x89PNG\r\n\x1a\n")) {
		r.add("/turn/qrImage", "must be a PNG in base64, without a prefix")
	}
	return startedAt
}

// secureURL parses an address that a person or a device is sent to. problem is empty if it
// can be used.
func secureURL(s string) (u *url.URL, problem string) {
	if len(s) > maxURL {
		return nil, "is too long"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || !strings.HasPrefix(s, "https://") || u.Hostname() == "" || u.Opaque != "":
		return nil, "must be an https address"
	case strings.ContainsFunc(u.Host, func(c rune) bool { return c > unicode.MaxASCII }):
		return nil, "must have its host in ASCII" // lower case can make other letters of some
	case u.User != nil:
		return nil, "must not have a user"
	case strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }):
		return nil, "must be escaped"
	}
	return u, ""
}
