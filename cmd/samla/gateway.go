package main

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/durable"
	"samla/internal/institution"
	"samla/internal/institution/enablebanking"
	"samla/internal/institution/families"
	"samla/internal/profile"
	"samla/internal/server"
)

type gatewayCmd struct {
	EnableBanking enableBankingCmd `cmd:"" name:"enablebanking" help:"Enable Banking: banks of many countries, without certificates of one's own (docs/adding-a-gateway.md)."`
}

type enableBankingCmd struct {
	Setup   gatewaySetupCmd   `cmd:"" help:"Make a key, say what to register in the gateway's portal, test it, and write the entry of the banks file."`
	Refresh gatewayRefreshCmd `cmd:"" help:"Get the gateway's list of banks now; samla serve does it daily."`
	List    gatewayListCmd    `cmd:"" help:"Show the banks that the entries of a banks file open, with their company ids."`
}

// gatewayProfile is the shipped profile of the gateway.
const gatewayProfile = "eu-enable-banking"

type gatewaySetupCmd struct {
	File          string   `default:"banks.json" type:"path" help:"Banks file; it is created if there is none."`
	Company       string   `default:"eu-enable-banking" help:"Company id of the entry; it is part of the address of return."`
	PublicURL     string   `name:"public-url" required:"" help:"Address at which browsers reach the server, as for samla serve."`
	ApplicationID string   `name:"application-id" help:"Id that the portal gave to the application; without it, it is asked for."`
	KeyFile       string   `name:"key-file" type:"path" help:"Private key of the application, PEM; it is made if there is none (default: enablebanking.pem beside the banks file)."`
	Country       []string `help:"Country whose banks are offered (repeatable; default: those of the entry that there is, or SE)."`
	LoginMethod   []string `help:"Login method of the banks (default: those of the profile)."`
	BaseURL       string   `name:"base-url" help:"Address of another gateway with this API, such as the sandbox's."`
	CAFile        string   `name:"ca-file" type:"existingfile" help:"CA certificates of the gateway's server, PEM (default: the system's)."`
}

// Run walks through the setup. It can be repeated until all of it is done.
func (c *gatewaySetupCmd) Run(a *app) error {
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/") // serve takes it without one
	if c.PublicURL == "" {
		return errors.New("--public-url is empty: it is the address of the server in the browsers of persons, such as https://samla.example")
	}
	if err := server.CheckPublicURL(c.PublicURL); err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	p, found := profile.Find(gatewayProfile)
	if !found {
		return fmt.Errorf("there is no profile of %s", gatewayProfile)
	}
	back := c.PublicURL + "/callback/" + c.Company
	config, err := c.entry()
	if err != nil {
		return err
	}
	certificate, err := c.makeKey(a)
	if err != nil {
		return err
	}
	if c.ApplicationID == "" {
		fmt.Fprintf(a.out, "In the portal (https://enablebanking.com/cp/applications) register an application with\n  certificate   %s\n  redirect URL  %s\n", certificate, back)
		c.ApplicationID = ask(a, os.Stdin, "Application id: ")
	}
	if c.ApplicationID == "" {
		fmt.Fprintln(a.out, "\nRun this again with --application-id once the portal shows the id.")
		return nil
	}
	config.ApplicationID, config.KeyFile = c.ApplicationID, c.relative(c.KeyFile)
	g, err := enablebanking.New(config, institution.Deps{Clock: clock.System(), Log: a.log, Company: c.Company, Dir: filepath.Dir(c.File)})
	if err != nil {
		return err
	}
	defer g.Close()
	if err := checkApplication(a, g, back); err != nil {
		return err
	}
	if err := renewList(a, g); err != nil {
		return err
	}
	if p.Entry, err = json.Marshal(config); err != nil {
		return err
	}
	p.Company = c.Company
	if len(c.LoginMethod) > 0 {
		p.LoginMethods = c.LoginMethod
	}
	if err := change(c.File, func(old []byte) ([]byte, error) { return profile.Put(old, p, len(c.LoginMethod) > 0) }); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(a.out, "\n%s has an entry of %s. Next: samla gateway enablebanking list %s, and samla serve --banks %s --public-url %s\n", c.File, c.Company, c.File, c.File, c.PublicURL)
	return nil
}

// entry returns the entry that the file has, changed by the flags, and takes from it what the
// flags do not say. There is none at first, or one that samla bank add has written.
func (c *gatewaySetupCmd) entry() (enablebanking.Config, error) {
	config := enablebanking.Config{}
	text, err := os.ReadFile(c.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return config, fmt.Errorf("%s cannot be read", c.File)
	}
	if raw := profile.EntryOf(text, c.Company); raw != nil {
		there, err := families.All().Decode(raw)
		if err != nil {
			return config, fmt.Errorf("%s: %w", c.File, err)
		}
		own, ok := there.(*enablebanking.Config)
		if !ok {
			return config, fmt.Errorf("%s has an entry of %s of another family: pass another --company", c.File, c.Company)
		}
		config = *own
	}
	if c.ApplicationID == "" && !strings.HasPrefix(config.ApplicationID, profile.FillIn) {
		c.ApplicationID = config.ApplicationID
	}
	if c.KeyFile == "" {
		c.KeyFile = cmp.Or(config.KeyFile, "enablebanking.pem")
		if !filepath.IsAbs(c.KeyFile) {
			c.KeyFile = filepath.Join(filepath.Dir(c.File), c.KeyFile)
		}
	}
	if c.BaseURL != "" {
		config.BaseURL = c.BaseURL
	}
	if c.CAFile != "" {
		config.CAFile = c.relative(c.CAFile)
	}
	switch {
	case len(c.Country) > 0:
		config.Countries = c.Country
	case len(config.Countries) == 0:
		config.Countries = []string{"SE"}
	}
	return config, nil
}

// relative returns a path as the banks file names it.
func (c *gatewaySetupCmd) relative(path string) string {
	if rel, err := filepath.Rel(filepath.Dir(c.File), path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// certificateLife is how long the certificate is valid that is uploaded. The gateway takes
// the key of it.
const certificateLife = 10 * 365 * 24 * time.Hour

// makeKey makes the key and a certificate of it, unless there is a key. It returns where the
// certificate is, or what it has to be if it is not beside the key.
func (c *gatewaySetupCmd) makeKey(a *app) (certificate string, err error) {
	certificate = strings.TrimSuffix(c.KeyFile, filepath.Ext(c.KeyFile)) + ".crt"
	switch _, err := os.Stat(c.KeyFile); {
	case err == nil:
		fmt.Fprintf(a.out, "The key is %s.\n", c.KeyFile)
		if _, err := os.Stat(certificate); err != nil {
			certificate = "one of this key"
		}
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	default:
		key, err := rsa.GenerateKey(rand.Reader, 4096)
		if err != nil {
			return "", err
		}
		now := clock.System().Now()
		t := &x509.Certificate{SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: "Samla"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife)}
		der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
		if err != nil {
			return "", err
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", err
		}
		if err := durable.Create(c.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})); err != nil {
			return "", err
		}
		if err := durable.Replace(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
			return "", err
		}
		fmt.Fprintf(a.out, "A key was made: %s. Keep it secret.\n", c.KeyFile)
	}
	return certificate, nil
}

// ask asks for a line on a terminal or a pipe. The end of the input is no answer.
func ask(a *app, in io.Reader, question string) string {
	fmt.Fprint(a.out, question)
	line, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line)
}

// checkApplication says what the gateway knows of the application, and what it lacks.
func checkApplication(a *app, g *enablebanking.Gateway, back string) error {
	app, err := g.Application(a.ctx)
	if err != nil {
		return withRemedy(err)
	}
	fmt.Fprintf(a.out, "\nThe gateway knows the application: %s, environment %s, countries %s.\n", app.Name, app.Environment, strings.Join(app.Countries, " "))
	if !slices.Contains(app.RedirectURLs, back) {
		return fmt.Errorf("the redirect URL is not registered: add %s to the application in the portal, and run this again", back)
	}
	if !slices.Contains(app.Services, "AIS") {
		return errors.New("the application may not read accounts: its services lack AIS")
	}
	if !app.Active {
		fmt.Fprintln(a.out, "It is not active: link accounts of your own in the portal, or sign a contract, before persons use it.")
	}
	return nil
}

// withRemedy adds to an error what an operator can do.
func withRemedy(err error) error {
	if remedy := institution.ReasonOf(err).Remedy(); remedy != "" {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	return err
}

// renewList gets the list of banks and says what is in it.
func renewList(a *app, g *enablebanking.Gateway) error {
	if err := g.Renew(a.ctx); err != nil {
		return withRemedy(err)
	}
	all := g.Institutions(func(string) bool { return false })
	fmt.Fprintf(a.out, "The list has %d banks, of which %d are offered.\n", len(g.Directory().Banks), len(all))
	return nil
}

// gateways opens the gateways of a banks file, by company id, and calls each.
func gateways(a *app, path string, use func(company string, g *enablebanking.Gateway) error) error {
	file, err := families.All().LoadOnly(path, enablebanking.Family().Name)
	if err != nil {
		return err
	}
	found := false
	for company, config := range file.Configs() {
		c, ok := config.(*enablebanking.Config)
		if !ok {
			continue
		}
		found = true
		g, err := enablebanking.New(*c, institution.Deps{Clock: clock.System(), Log: a.log, Company: company, Dir: filepath.Dir(path)})
		if err != nil {
			return fmt.Errorf("%s: %w", company, err)
		}
		err = use(company, g)
		g.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", company, err)
		}
	}
	if !found {
		return fmt.Errorf("%s has no entry of the family enablebanking", path)
	}
	return nil
}

type gatewayRefreshCmd struct {
	banksFile
}

// Run gets the list of each gateway. The list before stays as a base: banks keep their ids.
func (c *gatewayRefreshCmd) Run(a *app) error {
	return gateways(a, c.path(), func(company string, g *enablebanking.Gateway) error {
		_ = g.Load() // the first time there is none; a broken one is replaced
		fmt.Fprintf(a.out, "%s: ", company)
		return renewList(a, g)
	})
}

type gatewayListCmd struct {
	banksFile
}

// Run prints the banks that are opened, from the kept list. Nothing is sent.
func (c *gatewayListCmd) Run(a *app) error {
	file, err := families.All().LoadOnly(c.path(), enablebanking.Family().Name)
	if err != nil {
		return err
	}
	set, err := file.Open(institution.Deps{Clock: clock.System(), Log: a.log})
	if err != nil {
		return err
	}
	defer set.Close()
	t := headed("COMPANY", "NAME", "CONSENT", "OFFERED")
	n := 0
	for _, i := range set.All() {
		n++
		offered := "yes"
		if i.Retired {
			offered = "no: another entry is this bank, or the gateway has it no more"
		}
		t.add(i.Company.ID, i.Company.DisplayName, fmt.Sprintf("%d days", i.Profile.LongestConsent), offered)
	}
	if n == 0 {
		return fmt.Errorf("%s has no entry of the family enablebanking", c.path())
	}
	return t.print(a.out)
}
