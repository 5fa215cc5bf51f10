package source

import "samla/internal/sandbox/household"

// DemoCompany is the documented demo company (docs/reference/api.md 8).
const DemoCompany = "se-demo"

// The other institutions.
const (
	insurer        = "se-sandbox-insurer"
	broker         = "se-sandbox-broker"
	lender         = "se-sandbox-lender"
	pension        = "se-sandbox-pension"
	savings        = "se-sandbox-savings"
	publicPensions = "se-sandbox-public"
)

var (
	investmentTypes = []string{"KF", "ISK", "CUSTODY_ACCOUNT", "UNKNOWN_INVESTMENT_TYPE"}
	pensionTypes    = []string{"IPS_PENSION", "PRIVATE_PENSION", "OCCUPATIONAL_PENSION", "COLLECTIVE_OCCUPATIONAL_PENSION", "UNKNOWN_PENSION_TYPE"}
	loanTypes       = []string{"MORTGAGE_LOAN", "UNSECURED_LOAN"}
	savingsTypes    = []string{"GENERAL_SAVINGS_ACCOUNT", "GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD"}
	publicType      = "PUBLIC_PENSION"
)

// companies returns the institutions of the sandbox. Each login method of market se has a
// place where it works (docs/reference/api.md 6.3).
func companies() []*company {
	all := append(append(append(append([]string{}, investmentTypes...), pensionTypes...), loanTypes...), savingsTypes...)
	return []*company{
		{Credential: BearerSecret, rows: demoRows(), Institution: institution(DemoCompany, "Demo", all, methodMock, methodMockClientSide)},
		{Credential: BearerSecret, rows: insurerRows(), contents: only("KF", "PRIVATE_PENSION", "OCCUPATIONAL_PENSION", "UNKNOWN_PENSION_TYPE"),
			Institution: institution(insurer, "Ripvinge Försäkring (sandbox)",
				[]string{"KF", "PRIVATE_PENSION", "OCCUPATIONAL_PENSION", "UNKNOWN_PENSION_TYPE"}, methodEmail)},
		{Credential: BearerSecret, rows: brokerRows(), contents: only("ISK", "CUSTODY_ACCOUNT", "KF", "IPS_PENSION"),
			second: []step{choose(), code(locked).after(bySMS), elsewhere(stepApp).after(byApp)},
			Institution: institution(broker, "Norrglim Depå (sandbox)",
				[]string{"ISK", "CUSTODY_ACCOUNT", "KF", "IPS_PENSION"}, methodAny, methodAnyTest, methodSame, methodSameTest)},
		{Credential: ClientCertificate, rows: lenderRows(), contents: only(loanTypes...), Institution: institution(lender, "Rönnkvarn Bolån (sandbox)", loanTypes,
			methodOther, methodSame, methodOtherTest, methodSameTest)},
		{Credential: ClientCertificate, rows: pensionRows(), contents: only(pensionTypes...), second: []step{contact(inputEmail, inputPhone)},
			Institution: institution(pension, "Älvglimt Pension (sandbox)", pensionTypes, methodOther, methodClientSide)},
		{Credential: BearerSecret, rows: savingsRows(), contents: only(savingsTypes...), Institution: institution(savings, "Nejonskär Bank (sandbox)", savingsTypes, methodToken)},
		{Credential: ClientCertificate, rows: publicRows(), contents: only(publicType), Institution: institution(publicPensions, "Public pension (sandbox)", []string{publicType},
			methodOther, methodSame)},
	}
}

func institution(id, name string, products []string, methods ...string) Institution {
	needs := []string{"personalNumber"}
	if methods[0] == methodEmail {
		needs = []string{"email"}
	}
	return Institution{ID: id, DisplayName: name, Market: "se", LoginMethods: methods, Parameters: needs, Products: products}
}

// only is the whole household as far as it is of some types.
func only(types ...string) contents { return contents{Household: household.Everything, Types: types} }
