package listing

import (
	"testing"

	"samla/internal/fact"
)

// The products of Swedish banks, and of cards that they and others issue.
func TestTypeOf_KnowsTheProductsOfSwedishBanks(t *testing.T) {
	for want, names := range map[Type][]string{
		Checking: {
			"Privatkonto", "Privatkonto Sparbanken", "Sparbanken Skåne Privatkonto", "Sparbanken Syd", "Swedbank Servicekonto", "Transaktionskonto",
			"Ungdomskonto", "Lönekonto", "Personallönekonto", "Sparlönekonto", "Enkla vardagen", "Personkonto", "Personkonto Nordea 3300",
			"Allkonto", "Allkortskonto", "Checkkonto", "Danske Konto", "Danske Konto XL", "ICA Konto", "Allt i Ett-konto", "Klarna Konto", "SBAB Kontot",
			"Kortkonto", "Kortkonto Visa", "Privatkonto med Mastercard", "Lönekonto Visa", "Bankkort Mastercard", "Visa Debit", "Debit Mastercard", "Visa Electron",
			"Maestro", "Valutakonto EUR", "PlusGirokonto", "Studentkonto", "Baskonto", "Betalkonto", "Plånbokskonto", "Plånbok", "e-konto", "Förmånskonto", "Lo\u0308nekonto",
			"Current account", "Checking", "Everyday account", "Payment Account", "Spartacus", "Nordisk", "Fiskekonto", "Kortfristig", "Från kund", "Inlåningskonto", "",
		},
		Savings: {
			"Sparkonto", "e-sparkonto", "E-sparkonto", "Sparkonto Plus", "Sparkonto Flex", "Sparkonto+", "Enkla sparkontot", "Specialsparkonto", "Placeringskonto",
			"Kapitalkonto", "e-kapitalkonto", "Buffertkonto", "Buffert", "Framtidskonto", "Bosparkonto", "Ungdomssparkonto", "Barnspar", "Målsparande",
			"Sparande", "Fasträntekonto 1 år", "Fasträntekonto", "Högräntekonto", "Räntekonto", "Sparkonto Bas", "ICA Sparkonto", "Norwegian Sparkonto",
			"Skandia Sparkonto Fast", "Sparbanken Sparkonto", "ISK", "ISK-konto", "Investeringssparkonto", "Aktie- & fondkonto", "Kapitalförsäkring", "Depå",
			"Savings account", "SavingsAccount", "Flex Saver", "Term deposit", "Danske Spar", "Sparekonto", "Mastercard Sparkonto",
		},
		Card: {
			"Kreditkort", "CreditCard", "Credit Card", "CREDIT_CARD", "Kreditkort Visa", "Kreditkortskonto", "Mastercard", "MasterCard Guld", "Betal- och kreditkort Mastercard",
			"Betalkort", "SAS EuroBonus Mastercard", "Coop Mastercard Mer", "Eurocard Gold", "American Express", "Amex Green", "Diners Club", "Visa", "OKQ8 Visa",
			"Bank Norwegian Kreditkort", "Norwegian-kortet", "re:member card", "Supreme Card Gold", "ICA Kreditkort", "Volvokort", "Kontokort", "Nordea Credit", "Circle K EXTRA Mastercard",
		},
		Mortgage: {
			"Bolån", "Bolånekonto", "SBAB Bolån", "Länsförsäkringar Bolån 3 mån", "Home loan", "Mortgage", "Hypotekslån", "Bola\u030an",
			"Bostadslån", "Villalån", "Grönt bolån", "Bolånet", "Housing Loan",
		},
		Unsecured: {
			"Privatlån", "Blancolån", "Medlemslån", "Privatlånet", "Samlingslån", "Konsumtionslån", "Personal loan", "Unsecured loan", "Lån utan säkerhet", "Privatlån utan säkerhet",
		},
		Loan: {
			"Lån", "Lånekonto", "Billån", "Topplånet", "Handpenningslån", "Loan", "Studielån", "Privatlån med säkerhet", "Bolån och privatlån", "Secured loan",
		},
	} {
		for _, name := range names {
			numbered := fact.Account{IBAN: "SE4550000000058398257466"}
			for _, of := range []func(*fact.Account){
				func(a *fact.Account) { a.Product = name },
				func(a *fact.Account) { a.Name = name },
				func(a *fact.Account) { a.Product, a.Type = name, "CACC" },
				func(a *fact.Account) { a.Product, a.Type = name, "OTHR" },
				func(a *fact.Account) { a.Product, a.Type, a.DisplayName = name, "X-unknown", "Sparkonto" },
			} {
				a := numbered
				if of(&a); typeOf([]fact.Account{a}) != want {
					t.Errorf("%+v: %d, want %d", a, typeOf([]fact.Account{a}), want)
				}
			}
		}
	}
}

func TestTypeOf_WeighsCodeProductAndName(t *testing.T) {
	for _, test := range []struct {
		a    fact.Account
		want Type
	}{
		{fact.Account{Type: "SVGS"}, Savings},
		{fact.Account{Type: "svgs", Product: "Privatkonto"}, Savings},
		{fact.Account{Type: "LLSV"}, Savings},
		{fact.Account{Type: "CARD"}, Card},
		{fact.Account{Type: "CARD", Product: "Privatkonto"}, Card},
		{fact.Account{Type: "LOAN"}, Loan},
		{fact.Account{Type: "LOAN", Product: "Privatkonto"}, Loan},
		{fact.Account{Type: "cacc"}, Checking},
		{fact.Account{Type: "SLRY", Product: "Sparkonto"}, Checking},
		{fact.Account{Type: "SAVINGS"}, Savings},
		{fact.Account{Type: "Savings Account", IBAN: "SE4550000000058398257466"}, Savings},
		{fact.Account{Type: "CREDIT_CARD"}, Card},
		{fact.Account{Type: "DEBIT_CARD"}, Checking},
		{fact.Account{Type: "CURRENT"}, Checking},
		{fact.Account{Type: "CurrentAccount", Product: "Sparkonto"}, Savings},
		{fact.Account{Type: "MORTGAGE"}, Mortgage},
		{fact.Account{Type: "LOAN", Product: "Bolån 3 mån", Name: "Privatlån"}, Mortgage},
		{fact.Account{Type: "LOAN", Name: "Privatlån"}, Unsecured},
		{fact.Account{Type: "LOAN", DisplayName: "Privatlån"}, Loan},
		{fact.Account{Type: "MGLD"}, Loan},
		{fact.Account{Type: "PERSONAL_LOAN"}, Unsecured},
		// A person may have chosen the name, and a payment account can be named after what it pays.
		{fact.Account{Type: "CACC", Name: "Bolån"}, Checking},
		{fact.Account{Type: "CACC", Name: "Sparpengar"}, Checking},
		{fact.Account{Type: "CACC", Product: "Privatkonto", Name: "Kreditkort"}, Checking},
		{fact.Account{Type: "CACC", Name: "Kreditkort"}, Card},
		{fact.Account{Type: "CACC", Name: "Sparkonto"}, Savings},
		{fact.Account{Product: "Privatkonto", Name: "Sparkonto"}, Checking},
		{fact.Account{DisplayName: "Sparkonto"}, Checking},
		{fact.Account{DisplayName: "Kreditkort", Type: "CACC"}, Checking},
		{fact.Account{Name: "Sparkonto", Product: "Standard"}, Savings},
		// Only a masked number: a card, unless the code says more.
		{fact.Account{MaskedPAN: "541200******0007"}, Card},
		{fact.Account{MaskedPAN: "541200******0007", IBAN: "SE4550000000058398257466"}, Checking},
		{fact.Account{MaskedPAN: "****7466", Type: "CACC"}, Checking},
		{fact.Account{MaskedPAN: "SE45****7466"}, Checking},
		{fact.Account{Card: true, Type: "CACC", Product: "Privatkonto"}, Card},
	} {
		if got := typeOf([]fact.Account{test.a}); got != test.want {
			t.Errorf("%+v: %d, want %d", test.a, got, test.want)
		}
	}
}

func TestTypeOf_ListOfCardsCountsUnlessTheOtherListSaysMore(t *testing.T) {
	card := fact.Account{Card: true}
	for _, test := range []struct {
		a    fact.Account
		want Type
	}{
		{fact.Account{}, Card}, {fact.Account{Type: "CARD"}, Card}, {fact.Account{Type: "CACC"}, Card}, {fact.Account{Type: "LOAN"}, Card},
		{fact.Account{Type: "CACC", Product: "Privatkonto"}, Checking}, {fact.Account{Type: "SVGS"}, Savings},
	} {
		if got := typeOf([]fact.Account{card, test.a}); got != test.want {
			t.Errorf("%+v: %d, want %d", test.a, got, test.want)
		}
	}
}

// Two entries of one loan must not say two kinds.
func TestTypeOf_NeedsOneKindOfLoan(t *testing.T) {
	for _, test := range []struct {
		products []string
		want     Type
	}{
		{[]string{"Bolån", "Lån"}, Mortgage}, {[]string{"Lån", "Privatlån"}, Unsecured}, {[]string{"Lån", ""}, Loan},
		{[]string{"Bolån", "Privatlån"}, Loan},
	} {
		var entries []fact.Account
		for _, product := range test.products {
			entries = append(entries, fact.Account{Type: "LOAN", Product: product})
		}
		if got := typeOf(entries); got != test.want {
			t.Errorf("%v: %d, want %d", test.products, got, test.want)
		}
	}
	for class, want := range map[fact.Class]Type{fact.ClassMortgage: Mortgage, fact.ClassUnsecured: Unsecured} {
		if got := typeOf([]fact.Account{{Class: class, Product: "Lönekonto"}}); got != want {
			t.Errorf("class %d: %d", class, got)
		}
	}
}
