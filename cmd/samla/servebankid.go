package main

import (
	"errors"

	"samla/internal/bankidrp"
	"samla/internal/clock"
)

// bankIDFlags configure BankID's relying party API, with which persons sign in to My
// permissions (docs/operate.md). Without a certificate nobody signs in so.
type bankIDFlags struct {
	BankIDURL  string `name:"bankid-url" placeholder:"URL" default:"https://appapi2.bankid.com/rp/v6.0" help:"BankID's relying party API; by default its production, ${default}."`
	BankIDCert string `name:"bankid-cert" type:"existingfile" placeholder:"FILE" help:"Certificate of the operator as a relying party of BankID, in PEM; with it persons sign in to My permissions without a link of a client."`
	BankIDKey  string `name:"bankid-key" type:"existingfile" placeholder:"FILE" help:"Key of that certificate, in PEM."`
	BankIDCA   string `name:"bankid-ca" type:"existingfile" placeholder:"FILE" help:"Root certificate of BankID, in PEM, as it publishes it."`
}

// check reports flags that are no use without the others.
func (f bankIDFlags) check() error {
	if given := f.BankIDCert != "" || f.BankIDKey != "" || f.BankIDCA != ""; given && (f.BankIDCert == "" || f.BankIDKey == "" || f.BankIDCA == "") {
		return errors.New("--bankid-cert, --bankid-key and --bankid-ca are needed together")
	}
	return nil
}

func (f bankIDFlags) open() (*bankidrp.Client, error) {
	return bankidrp.Open(bankidrp.Files{URL: f.BankIDURL, Certificate: f.BankIDCert, Key: f.BankIDKey, CA: f.BankIDCA}, clock.System().Now)
}
