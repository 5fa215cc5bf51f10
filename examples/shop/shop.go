package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"sync"

	"github.com/google/uuid"

	samla "samla/clients/go"
)

//go:embed shop.html
var text string

var page = template.Must(template.New("").Parse(text))

// shop keeps its customers in memory; a real one has a database.
type shop struct {
	backend *samla.Client
	api     string
	origin  string // of the shop, if it frames the connect page
	events  chan samla.EventBody

	mu        sync.Mutex
	customers map[string]*customer // by cookie
	seen      map[uuid.UUID]bool   // events: each may come twice
}

// customer is a person who visits the shop.
type customer struct {
	Link     string // to the connect page, while it can be used
	Accounts []account
	Status   string // of the collection; empty: there was none
	linkID   uuid.UUID
}

type account struct{ Name, Kind, Balance string }

func newShop(backend *samla.Client, api string) *shop {
	return &shop{backend: backend, api: api, events: make(chan samla.EventBody, 100), customers: map[string]*customer{}, seen: map[uuid.UUID]bool{}}
}

const cookie = "customer"

// customer returns the visitor of a request, who is known by a cookie.
func (s *shop) customer(w http.ResponseWriter, r *http.Request) (id string, c *customer) {
	if k, err := r.Cookie(cookie); err == nil {
		id = k.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c = s.customers[id]; c == nil {
		id, c = rand.Text(), &customer{}
		s.customers[id] = c
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return id, c
}

func (s *shop) page(w http.ResponseWriter, r *http.Request) {
	_, c := s.customer(w, r)
	s.mu.Lock()
	seen := *c
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if err := page.Execute(w, map[string]any{"Customer": seen, "Framed": s.origin != "", "API": s.api, "State": seen.state()}); err != nil {
		log.Print(err)
	}
}

// state is what the page asks for while it waits: it loads again when that changes.
func (s *shop) state(w http.ResponseWriter, r *http.Request) {
	_, c := s.customer(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, c.state())
}

func (c customer) state() string { return fmt.Sprint(c.Status, " ", len(c.Accounts)) }

// connect makes a link for the customer. It works once and for a quarter of an hour: it is
// made when the customer presses the button, not before.
func (s *shop) connect(w http.ResponseWriter, r *http.Request) {
	id, c := s.customer(w, r)
	user, err := s.backend.EnsureUser(r.Context(), id)
	if err == nil {
		request := samla.CreateConnectLinkRequest{UserUuid: user, Purpose: "show your accounts in the example shop"}
		if s.origin != "" {
			request.Origin = &s.origin
		}
		var link samla.NewConnectLink
		if link, err = s.backend.CreateConnectLink(r.Context(), nil, request); err == nil {
			s.mu.Lock()
			*c = customer{Link: link.Url, linkID: link.ConnectLinkId}
			s.mu.Unlock()
			if s.origin != "" {
				http.Redirect(w, r, "/", http.StatusSeeOther)
			} else {
				http.Redirect(w, r, link.Url, http.StatusSeeOther)
			}
			return
		}
	}
	log.Print(err)
	http.Error(w, "Your accounts cannot be connected now. Try again in a while.", http.StatusBadGateway)
}

// receive takes an event, which is verified. The work is done afterwards: Samla waits ten
// seconds for the answer, and sends again what it got none for.
func (s *shop) receive(_ context.Context, e samla.EventBody) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[e.EventId] {
		return nil
	}
	select {
	case s.events <- e:
		s.seen[e.EventId] = true
		return nil
	default:
		return fmt.Errorf("there are too many events")
	}
}

// read does the work of the events.
func (s *shop) read(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.events:
			if e.CollectionId != nil {
				if err := s.fetch(ctx, *e.CollectionId); err != nil {
					log.Print(err)
				}
			}
		}
	}
}

// fetch reads the data of a collection, and gives it to the customer whose link began it.
func (s *shop) fetch(ctx context.Context, collection uuid.UUID) error {
	c, err := s.owner(ctx, collection)
	if err != nil || c == nil {
		return err
	}
	status, err := s.backend.GetCollectionStatus(ctx, collection)
	if err != nil {
		return err
	}
	var accounts []account
	if status.Status == samla.CollectionStatusCOMPLETED || status.Status == samla.CollectionStatusCOMPLETEDPARTIAL {
		products, err := s.backend.GetWealthData(ctx, collection, nil)
		if err != nil {
			return err
		}
		for _, p := range products {
			a, err := shown(p)
			if err != nil {
				return err
			}
			accounts = append(accounts, a)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*c = customer{Accounts: accounts, Status: string(status.Status)}
	return nil
}

// owner returns the customer whose link has led to a collection; nil: nobody here.
func (s *shop) owner(ctx context.Context, collection uuid.UUID) (*customer, error) {
	s.mu.Lock()
	waiting := make(map[uuid.UUID]*customer, len(s.customers))
	for _, c := range s.customers {
		if c.Link != "" {
			waiting[c.linkID] = c
		}
	}
	s.mu.Unlock()
	for id, c := range waiting {
		link, err := s.backend.GetConnectLink(ctx, id)
		if err != nil {
			return nil, err
		}
		if link.Flow != nil && link.Flow.CollectionId != nil && *link.Flow.CollectionId == collection {
			return c, nil
		}
	}
	return nil, nil
}

// shown is a product as the page shows it. There are many types; the shop knows three.
func shown(p samla.FinancialProduct) (account, error) {
	value, err := p.ValueByDiscriminator()
	if err != nil {
		return account{}, err
	}
	switch a := value.(type) {
	case samla.Psd2CheckingAccount:
		return account{name(a.AccountName, a.CompanyDisplayName), "Account", balance(a.BookedBalance)}, nil
	case samla.Psd2SavingsAccount:
		return account{name(a.AccountName, a.CompanyDisplayName), "Savings", balance(a.BookedBalance)}, nil
	case samla.Psd2CreditCard:
		return account{name(a.AccountName, a.CompanyDisplayName), "Card", balance(a.BookedBalance)}, nil
	}
	kind, err := p.Discriminator()
	return account{Name: kind, Kind: "Other"}, err
}

func name(own *string, company string) string {
	if own != nil {
		return *own
	}
	return company
}

func balance(m *samla.MonetaryAmount) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%.2f %s", m.Amount, m.Currency)
}
