package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution/sourcecheck"
)

type sourceCmd struct {
	Check sourceCheckCmd `cmd:"" help:"Test a running source against the source protocol; the report is JSON on standard output."`
}

// The key has no environment variable: SAMLA_KEY is where scripts keep an API key.
type sourceCheckCmd struct {
	URL            string        `arg:"" help:"Base URL of the source, before /v1."`
	Secret         string        `help:"Secret of the source, for Authorization: Bearer. Pass it as SAMLA_SECRET or with --secret-file, so that it is not in the list of processes."`
	SecretFile     string        `type:"existingfile" help:"File whose text is the secret."`
	Cert           string        `type:"existingfile" help:"Our certificate, PEM."`
	Key            string        `env:"-" type:"existingfile" help:"Its key, PEM."`
	CAFile         string        `name:"ca-file" type:"existingfile" help:"CA certificates of the source's server, PEM (default: the system's)."`
	Institution    string        `help:"Id of the institution to test (default: the first)."`
	LoginMethod    string        `help:"Login method to test (default: its first)."`
	PersonalNumber string        `help:"Personal number of the test person, 12 digits."`
	Email          string        `help:"E-mail address of the test person."`
	UserID         string        `name:"user-id" help:"User id of the test person."`
	Answer         []string      `sep:"none" placeholder:"KIND=VALUE" help:"Answer to a question: code=123456, choice=SMS or EMAIL=a@example.com (an input). Repeat it for each question, in order."`
	Answers        string        `type:"existingfile" help:"File with the answers: a JSON list such as [{\"code\":\"123456\"},{\"inputs\":{\"EMAIL\":\"a@example.com\"}}]."`
	Wait           time.Duration `default:"2m" help:"How long the person may need, for example to sign with BankID."`
}

// Run makes the checks, prints the report, and fails if one of them fails.
func (c *sourceCheckCmd) Run(a *app) error {
	o, err := c.options(a)
	if err != nil {
		return err
	}
	report := sourcecheck.Run(a.ctx, o)
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(report); err != nil {
		return err
	}
	return tell(a.err, report)
}

func (c *sourceCheckCmd) options(a *app) (o sourcecheck.Options, err error) {
	if err := httpclient.ValidateBaseURL(c.URL); err != nil {
		return o, errors.New("the URL must be https (http only for this machine), without user, query and fragment")
	}
	o = sourcecheck.Options{URL: c.URL, Secret: c.Secret, Institution: c.Institution, LoginMethod: c.LoginMethod, Wait: c.Wait, Clock: clock.System(),
		Parameters: sourcecheck.Parameters{PersonalNumber: c.PersonalNumber, Email: c.Email, UserID: c.UserID},
		Tell:       func(said string) { fmt.Fprintln(a.err, said) }}
	if c.SecretFile != "" {
		text, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return o, err
		}
		o.Secret = strings.TrimSpace(string(text))
	}
	if (c.Cert == "") != (c.Key == "") {
		return o, errors.New("--cert and --key go together")
	}
	if o.Secret == "" && c.Cert == "" {
		return o, errors.New("give the secret of the source (SAMLA_SECRET, --secret-file) or a certificate (--cert, --key)")
	}
	if o.Client, o.Anonymous, err = c.clients(); err != nil {
		return o, err
	}
	var file []byte
	if c.Answers != "" {
		if file, err = os.ReadFile(c.Answers); err != nil {
			return o, err
		}
	}
	o.Answers, err = sourcecheck.ParseAnswers(c.Answer, file)
	return o, err
}

// clients returns a client with our certificate, and one without it if there is one.
func (c *sourceCheckCmd) clients() (ours, anonymous *http.Client, err error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		if settings.RootCAs, err = httpclient.LoadRoots(c.CAFile); err != nil {
			return nil, nil, fmt.Errorf("--ca-file: %w", err)
		}
	}
	client := func(s *tls.Config) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: s, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.Cert == "" {
		return client(settings), nil, nil
	}
	pair, err := httpclient.LoadKeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("--cert: %w", err)
	}
	with := settings.Clone()
	with.Certificates = []tls.Certificate{*pair}
	return client(with), client(settings), nil
}

// tell tells a person what the report says. It fails if the report does.
func tell(out io.Writer, report sourcecheck.Report) error {
	var skipped []string
	for _, check := range report.Checks {
		switch check.Result {
		case sourcecheck.Skipped:
			skipped = append(skipped, check.Name)
		case sourcecheck.Failed:
			fmt.Fprintf(out, "failed  %s: %s\n", check.Name, check.Rule)
			for _, detail := range check.Details {
				fmt.Fprintf(out, "          %s\n", detail)
			}
		}
	}
	if len(skipped) > 0 {
		fmt.Fprintf(out, "skipped %s\n", strings.Join(skipped, ", "))
	}
	if q := report.NeedsAnswer; q != nil {
		fmt.Fprintf(out, "the source asks for %s; give the answer with --answer or --answers\n", q.Kind)
	}
	fmt.Fprintf(out, "%d checks passed, %d failed, %d skipped\n", report.Passed, report.Failed, report.Skipped)
	if !report.OK {
		return errors.New("the source has not passed the check")
	}
	return nil
}
