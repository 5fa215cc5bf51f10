package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"

	"samla/internal/clock"
	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/server"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

type operatorCmd struct {
	Add    operatorAddCmd    `cmd:"" help:"Make an operator and print a link with which they choose how to sign in. It works once, for 24 hours."`
	List   operatorListCmd   `cmd:"" help:"List operators."`
	Role   operatorRoleCmd   `cmd:"" help:"Give an operator another role."`
	Reset  operatorResetCmd  `cmd:"" help:"Take from an operator every way to sign in, end their sessions, and print a link with which they choose new ones."`
	Remove operatorRemoveCmd `cmd:"" help:"Remove an operator and end their sessions."`
}

// consoleFlags say where the console is.
type consoleFlags struct {
	existingStore
	masterFlags
	ConsoleURL string `name:"console-url" placeholder:"URL" default:"http://localhost:8090" help:"Address of the console in browsers, as the server has it."`
}

// Validate reports a database that there is not, or an address that browsers cannot use.
func (f consoleFlags) Validate() error {
	return errors.Join(f.existingStore.Validate(), server.CheckPublicURL(f.ConsoleURL))
}

type operatorAddCmd struct {
	consoleFlags
	Name string        `arg:"" help:"Name, such as maria.ek: a to z, 0 to 9, dots, hyphens and underscores."`
	Role operator.Role `default:"viewer" enum:"viewer,operator,admin" help:"viewer: sees. operator: acts too. admin: has keys, clients and operators too (${default})."`
}

type operatorListCmd struct{ consoleFlags }

type operatorRoleCmd struct {
	consoleFlags
	Name string        `arg:"" help:"Name of the operator."`
	Role operator.Role `arg:"" enum:"viewer,operator,admin" help:"viewer, operator or admin."`
}

type operatorResetCmd struct {
	consoleFlags
	Name string `arg:"" help:"Name of the operator."`
}

type operatorRemoveCmd struct {
	consoleFlags
	Name string `arg:"" help:"Name of the operator."`
}

// withOperators opens the store, also while a server is running, and calls do.
func (f consoleFlags) withOperators(a *app, do func(*operators.Service) error) error {
	master, err := f.load()
	if err != nil {
		return err
	}
	return withStore(a, f.storeFlags, func(db *sqlstore.Store) error {
		vault, err := f.vault(a.ctx, master, f.storeFlags, db)
		if err != nil {
			return err
		}
		j, err := journal.Open(server.JournalDir(f.dir(f.storeFlags)), clock.System())
		if err != nil {
			return err
		}
		defer j.Close()
		s, err := operators.New(operators.Deps{Store: db, Vault: vault, Journal: j, Clock: clock.System(), IDs: uuid7.NewGenerator(clock.System(), rand.Reader),
			URL: func() string { return f.ConsoleURL }})
		if err != nil {
			return err
		}
		return do(s)
	})
}

// on finds an operator by name and calls do.
func (f consoleFlags) on(a *app, name string, do func(*operators.Service, operator.Account) error) error {
	return f.withOperators(a, func(s *operators.Service) error {
		o, err := s.Find(a.ctx, name)
		if errors.Is(err, operators.ErrUnknown) {
			return fmt.Errorf("%w; 'samla operator list' lists them", err)
		}
		if err != nil {
			return err
		}
		return do(s, o)
	})
}

// Run prints the link and nothing else, so that a script can read it.
func (c *operatorAddCmd) Run(a *app) error {
	return c.withOperators(a, func(s *operators.Service) error {
		_, link, err := s.Add(a.ctx, "", c.Name, c.Role)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, link)
		return err
	})
}

// Run lists the operators as a table.
func (c *operatorListCmd) Run(a *app) error {
	return c.withOperators(a, func(s *operators.Service) error {
		all, err := s.List(a.ctx)
		if err != nil {
			return err
		}
		t := headed("NAME", "ROLE", "PASSKEYS", "PASSWORD", "CREATED", "ID")
		for _, o := range all {
			ways, err := s.WaysOf(a.ctx, o)
			if err != nil {
				return err
			}
			password := "-"
			if ways.Password {
				password = "with code"
			}
			t.add(o.Name, string(o.Role), strconv.Itoa(len(ways.Passkeys)), password, moment(&o.Created), o.ID)
		}
		return t.print(a.out)
	})
}

// Run changes a role.
func (c *operatorRoleCmd) Run(a *app) error {
	return c.on(a, c.Name, func(s *operators.Service, o operator.Account) error { return s.SetRole(a.ctx, "", o.ID, c.Role) })
}

// Run prints the new link.
func (c *operatorResetCmd) Run(a *app) error {
	return c.on(a, c.Name, func(s *operators.Service, o operator.Account) error {
		link, err := s.Reset(a.ctx, "", o.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, link)
		return err
	})
}

// Run removes an operator.
func (c *operatorRemoveCmd) Run(a *app) error {
	return c.on(a, c.Name, func(s *operators.Service, o operator.Account) error { return s.Remove(a.ctx, "", o.ID) })
}
