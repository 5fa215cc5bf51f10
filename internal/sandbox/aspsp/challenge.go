package aspsp

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"samla/internal/sandbox/bankid"

	goqr "github.com/piglig/go-qr"
)

// challengeData has the BankID data in the place of the bank's TokenKind.
type challengeData struct {
	Image string   `json:"image,omitempty"`
	Data  []string `json:"data,omitempty"`
}

// started is the response of POST authorisations.
func (c *call) started(h *consentRecord, a *Authorisation) response {
	v := c.authorisationBody(h, a)
	v["authorisationId"] = a.ID
	v["chosenScaMethod"] = bankIDMethod
	return response{http.StatusCreated, map[string]string{"ASPSP-SCA-Approach": "DECOUPLED"}, v}
}

// authorisationBody is the response body of GET authorisation. hintCode is not in the
// standard: it is BankID's hint code, or one of this bank's own.
func (c *call) authorisationBody(h *consentRecord, a *Authorisation) map[string]any {
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
		if p, ok := c.customers.Person(a.Signer); ok {
			v["psuName"] = p.Name()
		}
	}
	if text := c.psuMessage(a); text != "" {
		v["psuMessage"] = text
	}
	switch a.Hint {
	case hintMismatch:
		v["tppMessage"] = []tppMessage{{"ERROR", "PSU_CREDENTIALS_INVALID", "another person signed than the one in PSU-ID"}}
	case hintNothingToGrant:
		v["tppMessage"] = []tppMessage{{"ERROR", "RESOURCE_UNKNOWN", "the PSU owns none of the requested accounts"}}
	}
	if d := c.challenge(a); d != nil {
		v["challengeData"] = d
		if c.OrderTime > 0 {
			v["expiresAt"] = a.Order.StartedAt.Add(c.OrderTime)
		}
	}
	return v
}

// challenge returns the BankID data, or nil once the authorisation has ended.
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
	switch {
	case a.Hint != hintOutstanding:
	case c.Token == StartSecret:
		d.Data = append(d.Data, o.QRStartToken, o.QRStartSecret)
	default:
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

// qrImage returns a QR code of text as a PNG in base64.
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
