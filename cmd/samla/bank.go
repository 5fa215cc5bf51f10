package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/dryrun"
	"samla/internal/institution/families"
	"samla/internal/profile"
	"samla/internal/tracing"
)

type bankCmd struct {
	List  bankListCmd  `cmd:"" help:"List the banks and gateways that Samla has a profile of (docs/coverage.md)."`
	Add   bankAddCmd   `cmd:"" help:"Write an entry for a bank into a banks file, and say what it still needs."`
	Check bankCheckCmd `cmd:"" help:"Validate a banks file and show what each bank or other institution will be asked; nothing is sent."`
}

// banksFile names a banks file, with or without the flag.
type banksFile struct {
	Banks string `arg:"" optional:"" name:"banks-file" type:"path" help:"Banks file, as for samla serve --banks."`
	File  string `default:"banks.json" type:"path" help:"The same, as a flag."`
}

func (f banksFile) path() string { return cmp.Or(f.Banks, f.File) }

type bankCheckCmd struct {
	banksFile
	Company string `help:"Show this company only."`
	Headers bool   `help:"Show the headers of each request too."`
}

// Run validates the file and prints the requests.
func (c *bankCheckCmd) Run(a *app) error {
	file, err := families.All().Load(c.path())
	if err != nil {
		return errors.Join(c.lacking(a), err)
	}
	recorder := &dryrun.Recorder{}
	set, err := file.Open(institution.Deps{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Wrap: recorder.Wrap})
	if err != nil {
		return err
	}
	defer set.Close()
	if _, found := set.Find(c.Company); c.Company != "" && !found {
		return fmt.Errorf("%s has no company %q", c.path(), c.Company)
	}
	var faults []error
	alike := map[string][]string{} // by entry: banks that are asked as the first one of it
	for _, i := range set.All() {
		if c.Company != "" && i.Company.ID != c.Company {
			continue
		}
		if first, shown := alike[i.Entry]; c.Company == "" && i.Entry != "" && (shown || i.Retired) {
			if !i.Retired {
				alike[i.Entry] = append(first, i.Company.ID)
			}
			continue
		}
		alike[i.Entry] = nil
		c.describe(a, i)
		steps, err := dryrun.Steps(tracing.Example(a.ctx), i, recorder)
		for _, s := range steps {
			c.show(a, s)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", i.Company.ID, err))
		}
	}
	for _, entry := range slices.Sorted(maps.Keys(alike)) {
		if others := alike[entry]; len(others) > 0 {
			fmt.Fprintf(a.out, "%s opens %d more, which are asked in the same way (--company shows one): %s\n", entry, len(others), strings.Join(others, " "))
		}
	}
	return errors.Join(faults...)
}

// lacking prints all that the entries of a file need which are not filled in: that the file
// cannot be loaded hides the rest of them.
func (c *bankCheckCmd) lacking(a *app) error {
	text, err := os.ReadFile(c.path())
	if err != nil {
		return nil // as the caller has said
	}
	for _, p := range profile.All() {
		entry := profile.EntryOf(text, p.Company)
		if entry == nil || c.Company != "" && p.Company != c.Company || len(profile.Unfilled(entry)) == 0 {
			continue
		}
		needs := p.Lacking(entry, func(name string) bool {
			_, err := os.Stat(filepath.Join(filepath.Dir(c.path()), name))
			return err == nil
		})
		if err := printNeeds(a, p.Company+" still needs:", needs, c.path()); err != nil {
			return err
		}
	}
	return nil
}

// describe prints what the profile of an institution says.
func (c *bankCheckCmd) describe(a *app, i institution.Institution) {
	p := i.Profile
	fmt.Fprintf(a.out, "%s (%s, family %s)\n", i.Company.ID, i.Company.DisplayName, i.Family)
	if i.Loginer != nil {
		c.describeLogin(a, i)
	}
	if i.Opener == nil {
		return
	}
	fmt.Fprintf(a.out, "  asked every %v while the person signs, for at most %v; QR code: %s\n", p.PollInterval, p.Deadline, p.QR)
	fmt.Fprintf(a.out, "  %d days of transactions after the signature, else %d; %d reads a day without the person; consents of at most %d days\n",
		p.HistoryAttended, p.HistoryUnattended, p.DailyLimit, p.LongestConsent)
	switch {
	case p.LoginFirst:
		fmt.Fprintf(a.out, "  persons log in on a page of the bank before they sign\n")
	case p.Redirects:
		fmt.Fprintf(a.out, "  persons sign on a page of the bank\n")
	}
	if p.NeedsPSUID {
		fmt.Fprintf(a.out, "  the personal number is required\n")
	}
}

// describeLogin prints how persons log in.
func (c *bankCheckCmd) describeLogin(a *app, i institution.Institution) {
	p := i.Profile
	fmt.Fprintf(a.out, "  persons log in with %s\n", strings.Join(i.Company.LoginMethods, ", "))
	if len(i.Company.Needs) > 0 {
		fmt.Fprintf(a.out, "  a login needs %s\n", strings.Join(i.Company.Needs, ", "))
	}
	fmt.Fprintf(a.out, "  asked every %v while the person logs in, for at most %v\n", p.PollInterval, p.Deadline)
	if len(p.DeviceHosts) > 0 {
		fmt.Fprintf(a.out, "  devices of persons may call %s\n", strings.Join(p.DeviceHosts, ", "))
	}
}

func (c *bankCheckCmd) show(a *app, s dryrun.Step) {
	fmt.Fprintf(a.out, "  %s\n    %s %s\n", s.Name, s.Method, s.URL)
	if c.Headers {
		for _, h := range s.Header {
			fmt.Fprintf(a.out, "      %s\n", h)
		}
	}
	if body := strings.TrimSpace(s.Body); body != "" && body != "{}" {
		fmt.Fprintf(a.out, "      %s\n", body)
	}
}
