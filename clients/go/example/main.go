// Command example collects from two institutions with the client samla/clients/go: from a
// bank, with a consent that the person signs with BankID, and from an institution that the
// person logs in to, which asks for a code. It prints what was read.
//
//	SAMLA_API=http://127.0.0.1:8080 SAMLA_KEY=samla_… go run ./clients/go/example
//
// With SAMLA_SANDBOX and SAMLA_CA, the address of the sandbox of `samla dev` and its
// certificate authority, it also plays the person: it approves on the sandbox's phone.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	samla "samla/clients/go"
)

// A bank and an institution by login of the sandbox, and a test person of each.
var (
	bank = samla.Bank{Company: "se-demo-psd2", LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		PersonalNumber: "199011062388", IPAddress: "192.0.2.1", Locale: "en-GB"}
	login = samla.Login{Company: "se-demo", LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", PersonalNumber: "200004010000"}
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	backend, err := samla.New(os.Getenv("SAMLA_API"), os.Getenv("SAMLA_KEY"), nil)
	if err != nil {
		return err
	}
	phone, err := newPhone()
	if err != nil {
		return err
	}
	user, err := backend.EnsureUser(ctx, "example-go")
	if err != nil {
		return err
	}
	session, err := backend.OpenSession(ctx, user)
	if err != nil {
		return err
	}

	// A bank: consent, signature, collection.
	consent, err := session.AskConsent(ctx, bank)
	if err != nil {
		return err
	}
	show := func(v samla.View) { phone.show(ctx, v) }
	if _, err := session.AwaitConsent(ctx, consent.ConsentId, show); err != nil {
		return err
	}
	collection, err := session.CollectWithConsent(ctx, bank.Company, consent.ConsentId, bank.IPAddress)
	if err != nil {
		return err
	}
	if err := finish(ctx, session, collection, samla.Person{Show: show}); err != nil {
		return err
	}

	// An institution by login: it asks the person for a code, which is 123456 in the sandbox.
	if collection, err = session.CollectByLogin(ctx, login); err != nil {
		return err
	}
	return finish(ctx, session, collection, samla.Person{Show: show, Ask: phone.ask})
}

// finish waits for a collection and prints its products.
func finish(ctx context.Context, c *samla.Client, collection samla.CollectionStatusResponse, p samla.Person) error {
	s, err := c.AwaitCollection(ctx, collection.Id, p)
	if err != nil {
		return err
	}
	products, err := c.GetWealthData(ctx, s.Id, nil)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, %d products\n", s.Company, s.Status, len(products))
	for _, p := range products {
		kind, err := p.Discriminator()
		if err != nil {
			return err
		}
		fmt.Println(" ", kind)
	}
	return nil
}

// phone is the person's, or what stands for it.
type phone struct {
	client  *http.Client // nil: the person uses a real one
	address string
	last    string
}

func newPhone() (*phone, error) {
	address := os.Getenv("SAMLA_SANDBOX")
	if address == "" {
		return &phone{}, nil
	}
	pem, err := os.ReadFile(os.Getenv("SAMLA_CA"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &phone{address: address, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}}, nil
}

// show prints what the person has to do, each time it is something else. An order's first
// QR text stands for the whole order; a page draws each text as it comes.
func (p *phone) show(ctx context.Context, v samla.View) {
	order, _, _ := strings.Cut(strings.TrimPrefix(v.QRText, "bankid."), ".")
	if now := v.Status + v.Message + v.RedirectURL + order; now != p.last {
		p.last = now
		fmt.Println(v.Status, v.Message, v.RedirectURL, v.QRText)
		if v.AutoStartToken != "" {
			fmt.Println("on this device:", samla.AppLink(v.AutoStartToken, "", false))
		}
	}
	if p.client == nil || v.QRText == "" {
		return
	}
	body, _ := json.Marshal(map[string]string{"action": "approve", "qrData": v.QRText})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address+"/sandbox/bankid", bytes.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	if answer, err := p.client.Do(r); err == nil { // a text that is too old is refused: the next one comes
		answer.Body.Close()
	}
}

// ask reads the person's answer; in the sandbox the code is known.
func (p *phone) ask(ctx context.Context, q samla.Question) (samla.Answer, error) {
	if p.client != nil && q.Kind == samla.AskCode {
		return samla.Answer{Code: "123456"}, nil
	}
	fmt.Print(q.Text, " ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	line = strings.TrimSpace(line)
	switch q.Kind {
	case samla.AskChoice:
		return samla.Answer{Choice: line}, err
	case samla.AskInput:
		return samla.Answer{Values: map[string]string{q.Inputs[0]: line}}, err
	}
	return samla.Answer{Code: line}, err
}
