package enablebanking

import (
	"slices"

	"samla/internal/sandbox/persona"
)

// bank is one bank of the directory.
type bank struct {
	bankName
	Logo            string       `json:"logo"`
	PSUTypes        []string     `json:"psu_types"`
	Methods         []authMethod `json:"auth_methods"`
	MaxValidity     int          `json:"maximum_consent_validity"` // seconds
	Beta            bool         `json:"beta"`
	BIC             string       `json:"bic,omitempty"`
	RequiredHeaders []string     `json:"required_psu_headers,omitempty"`
	Group           *group       `json:"group,omitempty"`

	behaviour
	customers *persona.Customers
}

// behaviour is how banks differ behind the gateway. A bank has none of it unless its
// line says so.
type behaviour struct {
	ibanBank   string // three digits of its IBANs
	pageSize   int
	emptyPage  bool // the second page of a report is empty, and has a key
	noDetails  bool // transactions have no transaction_id
	signed     bool // debit amounts have a minus beside the indicator
	noCurrency bool // accounts have the currency XXX; only balances and rows tell the real one
	// historyDays is how far back the bank goes; earlier dates are refused.
	historyDays int
	// lateDays is how far back it goes once freshTime has passed since the login; 0: as far
	// as before.
	lateDays int
}

type group struct {
	Name string `json:"name"`
	Logo string `json:"logo"`
}

type authMethod struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	PSUType     string       `json:"psu_type"`
	Approach    string       `json:"approach"`
	Hidden      bool         `json:"hidden_method"`
	Credentials []credential `json:"credentials,omitempty"`
}

type credential struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Required    bool   `json:"required"`
	Description string `json:"description,omitempty"`
	Template    string `json:"template,omitempty"`
}

const day = 24 * 60 * 60 // seconds

// newDirectory returns the banks: those of docs/reference/families.md 8 and of the
// market page that 11.1 cites, in the countries where they are. What each does is a
// choice, so that every behaviour of docs/reference/families.md 15.4 is met at one.
func newDirectory() []*bank {
	both := []string{"personal", "business"}
	number := credential{Name: "userId", Title: "Personnummer", Description: "12 siffror", Template: `^\d{12}$`}
	bankID := authMethod{Name: "bankid", Title: "BankID", PSUType: "personal", Approach: "DECOUPLED", Credentials: []credential{number}}
	redirect := authMethod{Name: "redirect", Title: "Internetbanken", PSUType: "personal", Approach: "REDIRECT"}
	hidden := authMethod{Name: "bankid_other", Title: "BankID", PSUType: "personal", Approach: "DECOUPLED", Hidden: true}
	business := authMethod{Name: "bankid_business", Title: "BankID för företag", PSUType: "business", Approach: "DECOUPLED"}
	usual := []string{"Psu-Ip-Address", "Psu-User-Agent"}
	swedish := behaviour{pageSize: 100, historyDays: 1500}
	add := func(name, country, bic, ibanBank string, b behaviour, change func(*bank)) *bank {
		b.ibanBank = ibanBank
		one := &bank{
			bankName: bankName{name, country}, Logo: "https://gateway.example/brands/" + country + "/" + ibanBank + "/", PSUTypes: both,
			Methods: []authMethod{bankID, redirect}, MaxValidity: 180 * day, BIC: bic, RequiredHeaders: usual, behaviour: b,
			customers: persona.NewCustomers(ibanBank),
		}
		if change != nil {
			change(one)
		}
		return one
	}
	with := func(change func(*behaviour)) behaviour {
		b := swedish
		change(&b)
		return b
	}
	personal := func(b *bank) { b.PSUTypes = []string{"personal"} }
	return []*bank{
		add("Nordea", "SE", "NDEASESS", "300", with(func(b *behaviour) { b.emptyPage, b.pageSize = true, 50 }), func(b *bank) { b.Methods = append(b.Methods, business) }),
		add("SEB", "SE", "ESSESESS", "501", swedish, func(b *bank) { b.Methods = append(b.Methods, hidden, business) }),
		add("Handelsbanken", "SE", "HANDSESS", "601", with(func(b *behaviour) { b.historyDays, b.noDetails = 450, true }), nil),
		add("Swedbank", "SE", "SWEDSESS", "801", with(func(b *behaviour) { b.lateDays = 90 }), func(b *bank) {
			b.Group = &group{"Swedbank och sparbankerna", "https://gateway.example/brands/SE/groups/801/"}
		}),
		add("Sparbanken Syd", "SE", "", "957", swedish, func(b *bank) {
			b.Group = &group{"Swedbank och sparbankerna", "https://gateway.example/brands/SE/groups/801/"}
		}),
		add("Länsförsäkringar", "SE", "ELLFSESS", "902", with(func(b *behaviour) { b.signed = true }), func(b *bank) { b.RequiredHeaders = []string{"psu-ip-address"} }),
		add("SBAB", "SE", "SBAVSESS", "925", with(func(b *behaviour) { b.noCurrency = true }), personal),
		add("ICA Banken", "SE", "IBCASES1", "927", with(func(b *behaviour) { b.emptyPage, b.pageSize, b.noDetails = true, 7, true }), personal),
		add("Skandia", "SE", "SKIASESS", "916", swedish, func(b *bank) { b.MaxValidity = 90 * day }),
		add("Danske Bank", "SE", "DABASESX", "120", swedish, func(b *bank) { b.RequiredHeaders = append(slices.Clone(usual), "Psu-Geo-Location") }),
		add("Avanza", "SE", "AVANSES1", "955", swedish, func(b *bank) { personal(b); b.Beta = true; b.RequiredHeaders = nil }),
		add("Marginalen", "SE", "MARGSESS", "923", with(func(b *behaviour) { b.historyDays = 90 }), personal),
		add("Lunar", "SE", "", "239", swedish, func(b *bank) { b.Beta = true; b.BIC = "" }),
		add("Danske Bank", "DK", "DABADKKK", "121", swedish, nil),
		add("Nordea", "DK", "NDEADKKK", "301", swedish, nil),
		add("Nordea", "FI", "NDEAFIHH", "302", swedish, nil),
		add("Danske Bank", "FI", "DABAFIHH", "122", swedish, nil),
		add("Nordea", "NO", "NDEANOKK", "303", swedish, nil),
		add("DNB", "NO", "DNBANOKK", "919", swedish, nil),
		add("SpareBank 1", "NO", "", "920", swedish, func(b *bank) {
			b.Group = &group{"SpareBank 1", "https://gateway.example/brands/NO/groups/920/"}
		}),
		add(Newcomer, "SE", "", "978", swedish, nil),
	}
}

// Newcomer is a bank of SE that the directory has only from the time on that it is offered.
const Newcomer = "Nykomlingsbanken"

// Offer adds a bank to the directory that others see, or takes it away. Sessions go on in any
// case. It reports false for a bank that is not known.
func (g *Gateway) Offer(name, country string, offered bool) bool {
	b := g.find(bankName{name, country})
	if b == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hidden[b.bankName] = !offered
	return true
}

// offered returns the banks of the directory that others see.
func (g *Gateway) offered() []*bank {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.directory), func(b *bank) bool { return g.hidden[b.bankName] })
}

// find returns a bank of the directory, or nil.
func (g *Gateway) find(name bankName) *bank {
	for _, b := range g.directory {
		if b.bankName == name {
			return b
		}
	}
	return nil
}

// method returns a bank's method of authentication, or nil.
func (b *bank) method(name, psuType string) *authMethod {
	for i := range b.Methods {
		if b.Methods[i].Name == name && b.Methods[i].PSUType == psuType {
			return &b.Methods[i]
		}
	}
	return nil
}
