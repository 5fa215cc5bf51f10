package aspsp

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"samla/internal/sandbox/bankid"

	goqr "github.com/piglig/go-qr"
)

// challengeData is where this bank puts the BankID data (TokenKind).
type challengeData struct {
	Image string   `json:"image,omitempty"`
	Data  []string `json:"data,omitempty"`
}

// started answers POST authorisations.
func (c *call) started(h *held, a *Authorisation) answer {
	v := c.view(h, a)
	v["authorisationId"] = a.ID
	v["chosenScaMethod"] = bankIDMethod
	return answer{http.StatusCreated, map[string]string{"ASPSP-SCA-Approach": "DECOUPLED"}, v}
}

// view is an authorisation as a GET shows it. hintCode is an extra member:
// BankID's hint code, or one of this bank's own.
func (c *call) view(h *held, a *Authorisation) map[string]any {
	v := map[string]any{
		"scaStatus": a.Status,
		"_links": map[string]link{
			"scaStatus": c.href("consents/" + h.ID + "/authorisations/" + a.ID),
			"self":      c.href("consents/" + h.ID), "status": c.href("consents/" + h.ID + "/status"),
		},
	}
	if a.Hint != "" {
		v["hintCode"] = a.Hint
	}
	if a.Status == Finalised {
		if p, ok := c.people.Person(a.Signer); ok {
			v["psuName"] = p.Name()
		}
	}
	if text := c.psuMessage(a); text != "" {
		v["psuMessage"] = text
	}
	switch a.Hint {
	case hintMismatch:
		v["tppMessage"] = []tppMessage{{"ERROR", "PSU_CREDENTIALS_INVALID", "another person signed than PSU-ID names"}}
	case hintNothing:
		v["tppMessage"] = []tppMessage{{"ERROR", "RESOURCE_UNKNOWN", "the PSU owns none of the accounts asked for"}}
	}
	if d := c.challenge(a); d != nil {
		v["challengeData"] = d
	}
	return v
}

// challenge is nil once the authorisation has ended.
func (c *call) challenge(a *Authorisation) *challengeData {
	o := a.Order
	if a.Status.Final() || o.OrderRef == "" {
		return nil
	}
	switch c.Token {
	case StaticImage:
		return &challengeData{Image: o.Image, Data: []string{o.AutoStartToken}}
	case AutostartOnly:
		return &challengeData{Data: []string{o.AutoStartToken}}
	}
	d := &challengeData{Data: []string{o.AutoStartToken}}
	if a.Hint == outstanding {
		seconds := int(c.Clock.Now().Sub(o.StartedAt) / time.Second)
		d.Data = append(d.Data, bankid.QRData(o.QRStartToken, o.QRStartSecret, seconds))
	}
	return d
}

func (c *call) psuMessage(a *Authorisation) string {
	if c.Message == nil || a.Status == Finalised {
		return ""
	}
	lang, status := "sv", "pending"
	if c.english() {
		lang = "en"
	}
	if a.Status == Failed {
		status = "failed"
	}
	_, text := c.Message(status, a.Hint, c.Token != AutostartOnly, lang)
	return text
}

// qrImage draws text as a QR code: base64 of a PNG.
func qrImage(text string) (string, error) {
	code, err := goqr.EncodeText(text, goqr.Low)
	if err != nil {
		return "", fmt.Errorf("aspsp: QR code: %w", err)
	}
	png, err := code.ToPNGBytes(goqr.NewQrCodeImgConfig(8, 4))
	if err != nil {
		return "", fmt.Errorf("aspsp: QR image: %w", err)
	}
	return base64.StdEncoding.EncodeToString(png), nil
}
