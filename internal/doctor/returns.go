package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/institution"
)

// paths are what the paths of the pages for persons begin with, with what each page has.
var paths = []struct{ path, has string }{
	{"/go/doctor", `data-view="UNKNOWN"`},
	{"/callback/doctor", `data-view="FRAGMENT"`},
	{"/pages/look/people.css", "--paper"},
	{"/c/open/doctor", `data-view="LINK_UNKNOWN"`},
	{"/connect.js", "SamlaConnect"},
	{"/permissions/link/doctor", `data-view="END"`},
}

// Returns judges whether persons can come back from the pages of institutions. publicURL is
// the address of this server in their browsers, empty if there is none; unusable says why
// it cannot be one. With look, the pages of this server are asked for, and the
// institutions for the addresses that are registered there.
func (r *Report) Returns(ctx context.Context, set institution.Set, publicURL string, unusable error, look bool) {
	const name = "public URL"
	names := returnNames(set)
	switch {
	case len(names) == 0 && publicURL == "":
		return
	case unusable != nil:
		r.failed(name, "pass --public-url (SAMLA_PUBLIC_URL) of the server", "%v", unusable)
		return
	case publicURL == "":
		r.warn(name, "pass --public-url (SAMLA_PUBLIC_URL) with the address of the server in their browsers", "there is none: persons can sign at %d institutions in browsers of this machine only", len(names))
		return
	case !look:
		r.ok(name, "%s", publicURL)
	default:
		r.pages(ctx, publicURL)
	}
	for _, n := range sorted(names) {
		r.registered(ctx, n, publicURL+"/callback/"+n, names[n], look)
	}
}

// pages asks for the pages of this server as a browser does.
func (r *Report) pages(ctx context.Context, publicURL string) {
	const name = "public URL"
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}} // no proxy
	defer client.CloseIdleConnections()
	for _, p := range paths {
		err := page(ctx, &client, publicURL+p.path, p.has)
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			r.warn(name, "start the server and its proxy, and look again; else check the name server and the firewall", "%s does not answer", publicURL)
			return
		}
		if err != nil {
			r.failed(name, "let the proxy pass /c/, /connect.js, /go/, /callback/, /pages/ and /permissions to the server as they are, under a certificate that browsers accept", "%s: %v", publicURL+p.path, err)
			return
		}
	}
	r.ok(name, "%s shows the pages of this server", publicURL)
}

func page(ctx context.Context, client *http.Client, address, has string) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(q)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err
		}
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err == nil && !strings.Contains(string(body), has) {
		err = fmt.Errorf("another server answers, with status %d", answer.StatusCode)
	}
	return err
}

// registered judges whether an institution sends persons back to an address.
func (r *Report) registered(ctx context.Context, name, address string, i institution.Institution, look bool) {
	name += " returns"
	if i.ReturnAddresses == nil || !look {
		r.Skip(name, "persons come back to "+address+": if the institution registers addresses, it must have this one")
		return
	}
	all, err := i.ReturnAddresses(ctx)
	switch {
	case err != nil:
		r.failed(name, "see the check above that reaches it; then ask the institution", "the registered addresses cannot be read: %v", err)
	case !slices.Contains(all, address):
		r.failed(name, "register the address with the institution, exactly like this", "%s is not registered", address)
	default:
		r.ok(name, "%s is registered", address)
	}
}

// returnNames lists the institutions that send persons to a page, by what stands for them
// in the address of return. Of several with one name, it has the one that tells addresses.
func returnNames(set institution.Set) map[string]institution.Institution {
	names := map[string]institution.Institution{}
	for _, i := range set.All() {
		if !i.Profile.Redirects && !i.Profile.LoginFirst {
			continue
		}
		n := cmp.Or(i.Profile.ReturnName, i.Company.ID)
		if before, ok := names[n]; !ok || before.ReturnAddresses == nil {
			names[n] = i
		}
	}
	return names
}

func sorted(names map[string]institution.Institution) []string {
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}
