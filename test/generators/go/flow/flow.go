// Package flow is the main flow of the API, for any generated client.
package flow

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// What every request of the flow has in common.
const (
	Version     = "2026-04-01"
	IPAddress   = "192.0.2.7"
	LoginMethod = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
)

// Settings are what the test passes in the environment.
type Settings struct{ API, Key, Company, Person, User string }

// Client makes the calls of the flow with a generated client. After Session it uses the
// token of the session.
type Client interface {
	CreateUser(ctx context.Context, externalID string) (user string, err error)
	Session(ctx context.Context, user string) error
	// RefusedConsent asks for a consent without parameters.
	RefusedConsent(ctx context.Context, company string) (code, pointer string, err error)
	CreateConsent(ctx context.Context, company, person string) (consent string, err error)
	ConsentStatus(ctx context.Context, consent string) (Status, error)
	StartCollection(ctx context.Context, company, consent string) (collection string, err error)
	CollectionStatus(ctx context.Context, collection string) (Status, error)
	// Amounts returns each amount of the data, in the form of Amount.
	Amounts(ctx context.Context, collection string) ([]string, error)
	Revoke(ctx context.Context, consent string) (status string, err error)
}

// Status is what a poll answers.
type Status struct {
	Status string
	Poll   time.Duration // 0: nothing follows
	QRData string        // empty: there is none
}

// Amount returns the text of an amount of an account, or of a row of it.
func Amount(account, what string, amount float64, currency string) string {
	return fmt.Sprintf("%s %s %.2f %s", account, what, amount, currency)
}

// Main runs the flow and prints, as a JSON object, the collection and each amount that
// was read. With the name of a file of products as its argument, it prints these instead,
// each read and written again.
func Main(open func(Settings) (Client, error), again func(product []byte) ([]byte, error)) {
	if len(os.Args) > 1 {
		if err := rewrite(os.Args[1], again); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s := Settings{API: os.Getenv("SAMLA_API"), Key: os.Getenv("SAMLA_KEY"), Company: os.Getenv("SAMLA_COMPANY"),
		Person: os.Getenv("SAMLA_PERSON"), User: os.Getenv("SAMLA_USER")}
	c, err := open(s)
	if err == nil {
		err = run(ctx, c, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rewrite(file string, again func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var products []json.RawMessage
	if err := json.Unmarshal(text, &products); err != nil {
		return err
	}
	for i, p := range products {
		if products[i], err = again(p); err != nil {
			return fmt.Errorf("%w in %s", err, p)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(products)
}

func run(ctx context.Context, c Client, s Settings) error {
	user, err := c.CreateUser(ctx, s.User)
	if err != nil {
		return err
	}
	if err := c.Session(ctx, user); err != nil {
		return err
	}
	switch code, pointer, err := c.RefusedConsent(ctx, s.Company); {
	case err != nil:
		return err
	case code != "INVALID_PARAMETER" || pointer != "/parameters":
		return fmt.Errorf("a consent without parameters: %s %s", code, pointer)
	}
	consent, err := c.CreateConsent(ctx, s.Company, s.Person)
	if err != nil {
		return err
	}
	signed := false
	err = await(ctx, "AUTHORIZED", func() (Status, error) {
		status, err := c.ConsentStatus(ctx, consent)
		if err == nil && status.QRData != "" && !signed {
			signed = true
			err = sign(ctx, status.QRData)
		}
		return status, err
	})
	if err != nil {
		return err
	}
	collection, err := c.StartCollection(ctx, s.Company, consent)
	if err != nil {
		return err
	}
	if err := await(ctx, "COMPLETED", func() (Status, error) { return c.CollectionStatus(ctx, collection) }); err != nil {
		return err
	}
	amounts, err := c.Amounts(ctx, collection)
	if err != nil {
		return err
	}
	switch status, err := c.Revoke(ctx, consent); {
	case err != nil:
		return err
	case status != "REVOKED":
		return fmt.Errorf("the revoked consent is %s", status)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"collectionId": collection, "amounts": amounts})
}

// await polls until the status is what is wanted.
func await(ctx context.Context, want string, poll func() (Status, error)) error {
	for {
		s, err := poll()
		switch {
		case err != nil:
			return err
		case s.Status == want:
			return nil
		case s.Poll == 0:
			return fmt.Errorf("%s instead of %s", s.Status, want)
		}
		select {
		case <-time.After(s.Poll / 4):
		case <-ctx.Done():
			return fmt.Errorf("still %s: %w", s.Status, ctx.Err())
		}
	}
}

// sign plays the person's phone: it reads a QR code and approves.
func sign(ctx context.Context, qrData string) error {
	pem, err := os.ReadFile(os.Getenv("SAMLA_CA"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("no certificate in SAMLA_CA")
	}
	body, err := json.Marshal(map[string]string{"action": "approve", "qrData": qrData})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("SAMLA_SANDBOX")+"/sandbox/bankid", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	phone := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	res, err := phone.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("the phone: %s %s %w", res.Status, text, err)
	}
	return nil
}
