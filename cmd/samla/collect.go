package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/product"
)

type collectCmd struct {
	apiFlags
	Company     string `required:"" placeholder:"COMPANY" help:"Where to collect from: samla companies lists them."`
	User        string `default:"terminal" placeholder:"ID" help:"Whose data it is: the id of a user, or your own id of one, who is created if needed (default: terminal)."`
	Person      string `placeholder:"NUMBER" help:"Personal number, 12 digits; without it, it is asked for. Pass it as SAMLA_PERSON, so that it is not in the list of processes."`
	Email       string `placeholder:"ADDRESS" help:"E-mail address, for the login method EMAIL."`
	LoginMethod string `placeholder:"METHOD" help:"One of the company's login methods; the default is BankID on another device."`
	NewConsent  bool   `help:"Ask for a new consent, also if the user has given one that can be used."`
	IP          string `placeholder:"ADDRESS" help:"Address of the person, which the bank is told; the default is that of this machine."`
	JSON        bool   `help:"Print the products as the API returns them."`
	outFlags
}

const (
	collectPoll = time.Second
	// lastingTimeout is how long files wait for the lasting ids of transactions.
	lastingTimeout = 15 * time.Second
	// answerTimeout is how long a poll may take: a code that is older is taken away.
	answerTimeout = 3 * time.Second
	// silence is how long a server may not answer at all, and the longest wait that it may
	// ask for. It may ask so until busy is over.
	silence = time.Minute
	busy    = 3 * time.Minute
)

// What is returned when the person stops a collection: while something is open at the
// institution, and otherwise.
var (
	errStopped      = errors.New("stopped; the institution was told to cancel")
	errStoppedEarly = errors.New("stopped; there was nothing to cancel at the institution")
)

// collecting is one run of samla collect.
type collecting struct {
	*demo
	cmd   *collectCmd
	user  string // id; empty: there is no such user yet
	token string // of a session, from admit on
	ask   func(context.Context, *choice) error
	undo  func(context.Context) error // what cancels at the institution; nil: nothing
}

// Run collects, with the person at the terminal. Everything but the products goes to
// standard error.
func (c *collectCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	screen := terminal{out: a.err, moves: isTerminal(a.err)}
	w := &collecting{cmd: c, demo: &demo{terminal: screen, clock: clock.System(), client: api, every: collectPoll, real: true,
		phone: &apiclient.Phone{HTTP: &http.Client{Timeout: apiTimeout}}}}
	w.ask = w.askPerson
	d, err := w.run(a)
	w.wipe()
	if err != nil {
		return w.cancelled(a, err)
	}
	if d == nil {
		return nil
	}
	if c.JSON {
		return a.printJSON(d.data)
	}
	return c.deliver(a, *d)
}

// cancelled tells the institution that nobody goes on, if something is open there.
func (w *collecting) cancelled(a *app, err error) error {
	if w.undo != nil {
		ctx, cancel := a.stopContext()
		defer cancel()
		if undone := w.undo(ctx); undone != nil && a.ctx.Err() != nil {
			return fmt.Errorf("stopped; it could not be cancelled: %w", undone)
		}
	}
	switch {
	case a.ctx.Err() == nil:
		return err
	case w.undo == nil:
		return errStoppedEarly
	}
	return errStopped
}

// run collects. It returns nil if there is nothing to show.
func (w *collecting) run(a *app) (*delivered, error) {
	of, err := w.chosen(a)
	if err != nil {
		return nil, err
	}
	collect := w.byLogin
	if of.company.PSD2 {
		collect = w.byConsent
	}
	began := w.clock.Now()
	id, err := collect(a.ctx, of)
	if err != nil {
		return nil, err
	}
	w.undo = func(ctx context.Context) error { return w.client.CancelCollection(ctx, w.token, id) }
	status, err := w.watch(a.ctx, id, of.company)
	if err != nil {
		return nil, err
	}
	w.undo = nil
	w.wipe()
	switch {
	case status == "COMPLETED_EMPTY":
		w.printf("%s", statusText(status))
		return nil, nil
	case !strings.HasPrefix(status, "COMPLETED"):
		return nil, failure("the collection", status, statusText(status))
	}
	d := &delivered{id: id, company: of.company.ID, partial: status == "COMPLETED_PARTIAL", readAt: w.clock.Now()}
	if d.data, err = w.client.Data(a.ctx, w.token, id); err != nil {
		return nil, err
	}
	w.printf("Read from %s in %s.", plain(of.company.DisplayName), w.clock.Now().Sub(began).Round(time.Second))
	if w.cmd.Out != "" {
		d.lasting, err = w.lastingIDs(a.ctx, d.data)
	}
	return d, err
}

// failure is the error of a collection or consent that ended otherwise.
func failure(what, status, text string) error {
	if text == "" {
		return fmt.Errorf("%s ended as %s", what, plain(status))
	}
	return fmt.Errorf("%s ended as %s\n  what to do: %s", what, plain(status), text)
}

// chosen finds the company, the login method, the user and the person.
func (w *collecting) chosen(a *app) (choice, error) {
	all, err := w.client.Companies(a.ctx)
	if err != nil {
		return choice{}, err
	}
	of := choice{method: w.cmd.LoginMethod, person: w.cmd.Person}
	i := slices.IndexFunc(all, func(c apiclient.Company) bool { return c.ID == w.cmd.Company })
	if i < 0 {
		return of, fmt.Errorf("the server has no company %q%s", w.cmd.Company, alike(all, w.cmd.Company))
	}
	of.company = all[i]
	if !of.company.Functional {
		w.printf("%s does not work now for most persons; it is tried all the same.", plain(of.company.DisplayName))
	}
	switch {
	case of.method == "" && len(of.company.LoginMethods) > 0:
		of.method = of.company.LoginMethods[0]
		if best := slices.IndexFunc(methods, func(m string) bool { return slices.Contains(of.company.LoginMethods, m) }); best >= 0 {
			of.method = methods[best]
		}
	case of.method != "" && !slices.Contains(of.company.LoginMethods, of.method):
		return of, fmt.Errorf("%s has no login method %q: --login-method is one of %s", of.company.ID, of.method, strings.Join(of.company.LoginMethods, ", "))
	}
	w.user, err = w.find(a.ctx)
	return of, err
}

// alike names companies that may have been meant.
func alike(all []apiclient.Company, text string) string {
	var near []string
	for _, c := range all {
		_, name, _ := strings.Cut(text, "-")
		if name = strings.ToLower(cmp.Or(name, text)); name != "" && (strings.Contains(c.ID, name) || strings.Contains(strings.ToLower(c.DisplayName), name)) {
			near = append(near, c.ID)
		}
	}
	if len(near) == 0 {
		return ": samla companies lists those that there are"
	}
	return ": did you mean " + strings.Join(near[:min(len(near), 5)], ", ") + "?"
}

// find returns the user's id; empty if there is no such user.
func (w *collecting) find(ctx context.Context) (string, error) {
	id, err := userID(ctx, w.client, w.cmd.User)
	var problem *apiclient.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusNotFound {
		return "", nil
	}
	return id, err
}

// admit opens a session of the user, who is created if there is none. It is called when the
// institution is asked next: a person who stops before that leaves no user without data.
func (w *collecting) admit(ctx context.Context) (err error) {
	if w.user == "" {
		u, err := w.client.CreateUser(ctx, w.cmd.User)
		if err != nil {
			return err
		}
		w.user = u.ID
		w.printf("Created the user %s (%s).", plain(w.cmd.User), u.ID)
	}
	w.token, err = w.client.CreateSession(ctx, w.user)
	return err
}

// askPerson asks for a personal number without showing it, if a login needs one and there is
// somebody to ask.
func (w *collecting) askPerson(ctx context.Context, of *choice) error {
	if of.person != "" || !strings.Contains(of.method, "BANKID") {
		return nil
	}
	if !isTerminal(os.Stdin) {
		w.printf("No personal number is given (SAMLA_PERSON), and there is no terminal to ask for it: it is tried without.")
		return nil
	}
	text, err := readHidden(ctx, w.out, "Personal number, 12 digits (Enter: none): ")
	if err != nil {
		return err
	}
	of.person = strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	return nil
}

// watch polls a collection until it has ended.
func (w *collecting) watch(ctx context.Context, id string, of apiclient.Company) (string, error) {
	began := w.clock.Now()
	for {
		s, err := patiently(ctx, w.demo, func(ctx context.Context) (apiclient.CollectionStatus, error) {
			return w.client.PollCollection(ctx, w.token, id)
		})
		if err != nil || s.Finished() {
			return s.Status, err
		}
		w.live("Reading from "+plain(of.DisplayName), fmt.Sprintf(" … %s", w.clock.Now().Sub(began).Truncate(time.Second)))
		if err := clock.Sleep(ctx, w.clock, w.every); err != nil {
			return s.Status, err
		}
	}
}

// patiently asks a server, and again if it does not answer or has a fault of its own: after
// as long as Retry-After says, if that is no longer than silence. What is drawn meanwhile is
// taken away: a code would be too old.
func patiently[T any](ctx context.Context, w *demo, ask func(context.Context) (T, error)) (T, error) {
	first := w.clock.Now()
	for tries := 0; ; tries++ {
		once, cancel := context.WithTimeout(ctx, answerTimeout)
		v, err := ask(once)
		cancel()
		switch {
		case err == nil || !passing(err):
			return v, err
		case ctx.Err() != nil:
			return v, ctx.Err()
		}
		wait, most := w.every, silence
		var problem *apiclient.Problem
		if errors.As(err, &problem) && problem.RetryAfter > 0 {
			wait, most = max(wait, problem.RetryAfter), busy
		}
		if wait > silence || w.clock.Now().Sub(first) > most {
			return v, err
		}
		w.wipe()
		switch {
		case tries > 0:
		case most == busy:
			w.printf("The server is busy; it is asked again in %s.", wait.Round(time.Second))
		default:
			w.printf("The server does not answer; it is asked again.")
		}
		if err := clock.Sleep(ctx, w.clock, wait); err != nil {
			return v, err
		}
	}
}

// passing reports whether an error may be over with the next request.
func passing(err error) bool {
	var problem *apiclient.Problem
	if errors.As(err, &problem) {
		return problem.Status >= http.StatusInternalServerError || problem.Status == http.StatusTooManyRequests
	}
	var request *url.Error
	return errors.As(err, &request)
}

// lastingIDs waits until all booked transactions of a collection are in lasting accounts,
// which is usually within a second, and returns their lasting ids. Some may never be: where
// two institutions have one account, one of them leads (docs/reference/api.md 12.3).
func (w *collecting) lastingIDs(ctx context.Context, data []byte) (map[string]string, error) {
	products, err := product.ReadAll(data)
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, p := range products {
		if account, is := p.(*product.Psd2Account); is {
			for _, t := range account.Transactions {
				wanted = append(wanted, t.TransactionID)
			}
		}
	}
	for first := w.clock.Now(); ; {
		ids, err := lastingIDs(ctx, w.client, w.user)
		if err != nil {
			return nil, err
		}
		missing := slices.ContainsFunc(wanted, func(id string) bool { return ids[id] == "" })
		if !missing || w.clock.Now().Sub(first) > lastingTimeout {
			return ids, nil
		}
		w.live("Waiting for the lasting ids of transactions", "")
		if err := clock.Sleep(ctx, w.clock, w.every); err != nil {
			return nil, err
		}
	}
}

// personAddress returns the address of the person: of this machine, as it talks to the server.
func (w *collecting) personAddress(ctx context.Context) (string, error) {
	if w.cmd.IP != "" {
		return w.cmd.IP, nil
	}
	u, err := url.Parse(w.client.Base)
	if err != nil {
		return "", err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))) // sends nothing
	if err != nil {
		return "", fmt.Errorf("the address of this machine is not known, give one with --ip: %w", err)
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}

// locale returns the language of the terminal as banks understand it.
func locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		text, _, _ := strings.Cut(os.Getenv(name), ".")
		if language, country, is := strings.Cut(text, "_"); is && len(language) == 2 && len(country) == 2 {
			return strings.ToLower(language) + "-" + strings.ToUpper(country)
		}
	}
	return "en-GB"
}
