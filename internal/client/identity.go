package client

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Identity is who a client is by law, which persons are told before they approve anything
// (GDPR art. 13(1)(a)). Members that are not known are empty.
type Identity struct {
	LegalName string
	Number    string // of the register of companies, such as 556000-0001
	Authority string // that has licensed the client to read accounts; empty: it has no licence of its own
	Contact   string // for persons: an e-mail address, or an https address
}

// maxIdentity bounds each text of an identity, in characters.
const maxIdentity = 200

// Check returns what is wrong with an identity. The texts of its errors repeat no value.
func (i Identity) Check() error {
	for name, text := range map[string]string{"the legal name": i.LegalName, "the number": i.Number, "the authority": i.Authority, "the contact": i.Contact} {
		if utf8.RuneCountInString(text) > maxIdentity || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || text != strings.TrimSpace(text) {
			return fmt.Errorf("%s must be one line of at most %d characters, without spaces around it", name, maxIdentity)
		}
	}
	switch {
	case i.Number != "" && i.LegalName == "":
		return errors.New("the number needs a legal name beside it")
	case i.Contact != "" && i.ContactURL() == "":
		return errors.New("the contact must be an e-mail address, or an https address")
	}
	return nil
}

// Named returns the legal name with the number, or "".
func (i Identity) Named() string {
	if i.Number == "" {
		return i.LegalName
	}
	return i.LegalName + ", " + i.Number
}

// ContactURL returns the address of a link to the contact, or "".
func (i Identity) ContactURL() string {
	if a, err := mail.ParseAddress(i.Contact); err == nil && a.Address == i.Contact {
		return "mailto:" + i.Contact
	}
	if u, err := url.Parse(i.Contact); err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil {
		return i.Contact
	}
	return ""
}
