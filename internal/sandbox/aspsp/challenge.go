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
	c.choice(a, v)
	return response{http.StatusCreated, c.approachOf(a), v}
}

// approachOf returns the header ASPSP-SCA-Approach, once the approach is decided.
func (c *call) approachOf(a *Authorisation) map[string]string {
	switch {
	case a.Page != nil:
		return map[string]string{"ASPSP-SCA-Approach": "REDIRECT"}
	case a.Method == "" && len(c.Methods) > 0:
		return nil
	}
	return map[string]string{"ASPSP-SCA-Approach": "DECOUPLED"}
}

// choice adds the SCA methods of which the TPP must choose, or the chosen one.
func (c *call) choice(a *Authorisation, v map[string]any) {
	chosen, _ := c.method(a.Method)
	switch {
	case len(c.Methods) == 0 && a.Page == nil:
		v["chosenScaMethod"] = bankIDMethod
	case a.Method != "":
		v["chosenScaMethod"] = scaMethod{chosen.Type, chosen.ID, chosen.Name}
	case a.Page == nil && !a.Status.Final():
		list := []scaMethod{}
		for _, m := range c.Methods {
			list = append(list, scaMethod{m.Type, m.ID, m.Name})
		}
		v["scaMethods"] = list
	}
}

// authorisationBody is the response body of GET authorisation. hintCode is not in the
// standard: it is BankID's hint code, or one of this bank's own; banks do not say what
// happened on their page.
func (c *call) authorisationBody(h *consentRecord, a *Authorisation) map[string]any {
	self := c.href("consents/" + h.ID)
	links := map[string]link{"self": self, "status": {self.Href + "/status"}}
	v := map[string]any{"scaStatus": a.Status, "_links": links}
	if a.Status == Finalised {
		if p, ok := c.customers.Person(a.Signer); ok {
			v["psuName"] = p.Name()
		}
	}
	c.describe(h, a, v, links)
	return v
}

// describe adds to a response what the TPP does next with an authorisation, and its links.
func (c *call) describe(h *consentRecord, a *Authorisation, v map[string]any, links map[string]link) {
	self := c.href("consents/" + h.ID + "/authorisations/" + a.ID)
	if !c.NoAuthorisations && !c.Push {
		links["scaStatus"] = self
	}
	switch {
	case a.Page != nil:
		c.pageLinks(a, self, links)
		return
	case c.Push:
		return
	case a.Method == "" && len(c.Methods) > 0 && !a.Status.Final():
		links["selectAuthenticationMethod"] = self
		return
	}
	if a.Hint != "" {
		v["hintCode"] = a.Hint
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
}

// challenge returns the BankID data, or nil once the authorisation has ended.
func (c *call) challenge(a *Authorisation) *challengeData {
	o := a.Order
	if a.Status.Final() || o.OrderRef == "" {
		return nil
	}
	token := c.tokenKind(a)
	switch token {
	case StaticImage:
		return &challengeData{Image: o.Image, Data: []string{o.AutoStartToken}}
	case AutostartOnly:
		return &challengeData{Data: []string{o.AutoStartToken}}
	}
	d := &challengeData{Data: []string{o.AutoStartToken}}
	switch {
	case a.Hint != hintOutstanding:
	case token == StartSecret:
		d.Data = append(d.Data, o.QRStartToken, o.QRStartSecret)
	default:
		seconds := int(c.Clock.Now().Sub(o.StartedAt) / time.Second)
		d.Data = append(d.Data, bankid.QRData(o.QRStartToken, o.QRStartSecret, seconds))
	}
	return d
}

// tokenKind returns where the BankID data of an authorisation is.
func (c *call) tokenKind(a *Authorisation) TokenKind {
	if m, ok := c.method(a.Method); ok {
		return m.Token
	}
	return c.Token
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
	_, text := c.Message(status, a.Hint, c.tokenKind(a) != AutostartOnly, lang)
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
